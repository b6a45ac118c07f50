/*
 * What the addon uses of the libraries that are part of Node: it exports their functions to addons. Declared here, as
 * the interfaces are stable and their headers need not be installed; weak, as a Node could be built without one of
 * them, which is told when it is needed. Sources: zlib.h of zlib, zstd.h of zstd, openssl/evp.h of OpenSSL 3.
 */
#ifndef FX_NODELIBRARIES_H
#define FX_NODELIBRARIES_H

#include <stddef.h>

#define WEAK __attribute__((weak))

struct z_stream_s {
    const unsigned char *next_in;
    unsigned avail_in;
    unsigned long total_in;
    unsigned char *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *msg;
    void *state;
    void *(*zalloc)(void *, unsigned, unsigned);
    void (*zfree)(void *, void *);
    void *opaque;
    int data_type;
    unsigned long adler;
    unsigned long reserved;
};
enum { Z_NO_FLUSH = 0, Z_OK = 0, Z_STREAM_END = 1, Z_MEM_ERROR = -4, Z_BUF_ERROR = -5 };
/* MAX_WBITS and 16: gzip, and nothing else. */
enum { GZIP_WINDOW = 15 + 16 };
WEAK int inflateInit2_(struct z_stream_s *stream, int window, const char *version, int size);
WEAK int inflate(struct z_stream_s *stream, int flush);
WEAK int inflateReset(struct z_stream_s *stream);
WEAK int inflateEnd(struct z_stream_s *stream);

struct zstd_input {
    const void *src;
    size_t size, pos;
};
struct zstd_output {
    void *dst;
    size_t size, pos;
};
struct ZSTD_DCtx_s;
WEAK struct ZSTD_DCtx_s *ZSTD_createDCtx(void);
WEAK size_t ZSTD_freeDCtx(struct ZSTD_DCtx_s *context);
WEAK size_t ZSTD_decompressStream(struct ZSTD_DCtx_s *context, struct zstd_output *output, struct zstd_input *input);
WEAK unsigned ZSTD_isError(size_t code);
WEAK const char *ZSTD_getErrorName(size_t code);

struct evp_md_st;
struct evp_md_ctx_st;
WEAK struct evp_md_ctx_st *EVP_MD_CTX_new(void);
WEAK void EVP_MD_CTX_free(struct evp_md_ctx_st *context);
WEAK int EVP_MD_CTX_copy_ex(struct evp_md_ctx_st *to, const struct evp_md_ctx_st *from);
WEAK const struct evp_md_st *EVP_sha256(void);
WEAK const struct evp_md_st *EVP_sha512(void);
WEAK int EVP_DigestInit_ex(struct evp_md_ctx_st *context, const struct evp_md_st *kind, void *engine);
WEAK int EVP_DigestUpdate(struct evp_md_ctx_st *context, const void *bytes, size_t length);
WEAK int EVP_DigestFinal_ex(struct evp_md_ctx_st *context, unsigned char *digest, unsigned *length);

#endif
