/*
 * Docker's json-file format: splitting of a stream into lines of at most 16 KiB, and the text of a
 * line. Pure: time and destination are the caller's.
 */
#ifndef FX_JSONLOG_H
#define FX_JSONLOG_H

#include "text.h"

/*
 * The buffer size of docker's log copier: a longer line becomes several entries, all but the last
 * without "\n".
 */
#define LOG_LINE_LIMIT 16384

/*
 * Room for any entry but its text: `{"log":"`, `\n","stream":"stderr","time":"…"}` and a newline.
 */
#define LOG_ENTRY_FRAME 96

/* Length of an RFC 3339 time with nanoseconds and "Z". */
#define LOG_TIME_SIZE 32

/* What a stream has said since its last newline. */
struct log_line {
    uint32_t length;
    /* Entries of this line were written already; they share the time of the first. */
    bool partial;
    char time[LOG_TIME_SIZE];
    /* Room for LOG_LINE_LIMIT. */
    uint8_t *bytes;
};

/*
 * Gets one entry: `newline` tells if "\n" ends it. The text is at most LOG_LINE_LIMIT bytes.
 */
typedef void (*log_entry)(void *to, const char *time, const uint8_t *text, size_t length,
                          bool newline);

/* Cuts `bytes` into entries; what follows the last newline stays in `line`. */
void log_split(struct log_line *line, const char *time, const uint8_t *bytes, size_t length,
               log_entry entry, void *to);

/* The rest at the end of a stream, without a newline. */
void log_finish(struct log_line *line, const char *time, log_entry entry, void *to);

/*
 * Escapes as docker's encoder does: \" \\ \n \r, \u00xx for other control characters and <>&,
 * \ufffd for each byte that is not UTF-8, \u2028 and \u2029. At most six bytes for one.
 */
void put_json(struct buffer *buffer, const uint8_t *bytes, size_t length);

/* One whole line of the file. `stream`: "stdout" or "stderr". */
void put_log_entry(struct buffer *buffer, const char *stream, const char *time, const uint8_t *text,
                   size_t length, bool newline);

/*
 * Bytes of the UTF-8 character at `bytes`, or 0 when it is none: overlong forms, surrogates, beyond
 * U+10FFFF, cut short.
 */
unsigned utf8_length(const uint8_t *bytes, size_t length);

/* RFC 3339 with nanoseconds, zeros at the end left out, UTC. `nanoseconds` below 10^9. */
void format_time(char time[LOG_TIME_SIZE], int64_t seconds, uint32_t nanoseconds);

#endif
