/* Bytes on their way: hashed, written and decompressed by the threads that have them at hand anyway. */
#ifndef FX_STREAMS_H
#define FX_STREAMS_H

#include "addon.h"

/* digest.c: a hash of all that goes by. */
struct digest;
/* "sha256" or "sha512". */
int digest_open(const char *algorithm, struct digest **digest, struct fault *fault);
int digest_add(struct digest *digest, const void *bytes, size_t length, struct fault *fault);
enum { DIGEST_TEXT = 2 * 64 + 1 };
/* Of what has come so far, in hexadecimal digits; more may follow. */
int digest_text(const struct digest *digest, char text[DIGEST_TEXT], struct fault *fault);
void digest_close(struct digest *digest);
/* Writes the bytes at the offset, all of them, and hashes them. */
int digest_write(struct digest *digest, int file, const uint8_t *bytes, size_t length, int64_t offset,
                 struct fault *fault);
/* Hashes the rest of a file from the offset on; `end` is where that is. */
int digest_file(struct digest *digest, int file, int64_t offset, int64_t *end, cancel_flag cancel, struct fault *fault);

/* expand.c: undoes the compression of an archive and hashes what comes out. */
struct expand;
/* "gzip", "zstd", or "none", which copies. */
int expand_open(const char *format, struct expand **expand, struct fault *fault);
struct expand_step {
    const uint8_t *input;
    size_t input_length;
    /* Whether nothing follows the input: broken off data are an error then. */
    bool last;
    uint8_t *output;
    size_t output_length;
    size_t consumed, produced;
};
/*
 * As much as there is room for. All of the input is through when it is consumed and room is left. EBADMSG for data
 * that are damaged, `detail` says how.
 */
int expand_run(struct expand *expand, struct expand_step *step, cancel_flag cancel, struct fault *fault);
int expand_digest(const struct expand *expand, char text[DIGEST_TEXT], struct fault *fault);
void expand_close(struct expand *expand);

#endif
