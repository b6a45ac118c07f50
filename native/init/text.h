/*
 * Text without a libc: bounded building of strings, decimal numbers, paths. Pure; the memory
 * functions that the compiler itself calls are only here when there is no libc.
 */
#ifndef FX_TEXT_H
#define FX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *left, const void *right, size_t length);
size_t strlen(const char *text);

/* Something being written: what does not fit is left out and `full` is set. */
struct buffer {
    char *bytes;
    size_t length;
    size_t capacity;
    bool full;
};

void put_bytes(struct buffer *buffer, const void *bytes, size_t length);
void put_byte(struct buffer *buffer, char byte);
void put_text(struct buffer *buffer, const char *text);
void put_number(struct buffer *buffer, uint64_t number);
void put_signed(struct buffer *buffer, int64_t number);
/* Decimal with zeros in front up to `digits`. */
void put_padded(struct buffer *buffer, uint64_t number, unsigned digits);
/* Ends the text with a NUL that does not count; the last byte gives way when the buffer is full. */
const char *put_end(struct buffer *buffer);

bool text_equal(const char *left, const char *right);
bool text_starts(const char *text, const char *prefix);
/* The first `byte` in the text, or NULL. */
const char *text_find(const char *text, char byte);
/* The offset of the last component of a path; 0 when there is no slash. */
size_t name_offset(const char *path);
/*
 * Reads decimal digits from `*at` on and moves it past them; 0 when there are none. Wraps on
 * overflow.
 */
uint64_t take_number(const char **at);

/*
 * Field `number` (from 3 on: state) of /proc/PID/stat; the command name may hold anything. 0 when
 * missing.
 */
uint64_t stat_field(const char *stat, unsigned number);
/* The hexadecimal number after `key` and a tab at the start of a line, as in /proc/PID/status. */
uint64_t status_mask(const char *text, const char *key, uint64_t missing);
/*
 * The number after `key` and a space at the start of a line, as in memory.events; 0 when missing.
 */
uint64_t keyed_number(const char *text, const char *key);

#endif
