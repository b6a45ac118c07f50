/* The functions of text.h. */
#include "text.h"

#if !__STDC_HOSTED__
void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    while (length--)
        *target++ = *source++;
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    if (target <= source)
        return memcpy(to, from, length);
    while (length--)
        target[length] = source[length];
    return to;
}

void *memset(void *to, int value, size_t length)
{
    unsigned char *target = to;
    while (length--)
        *target++ = (unsigned char)value;
    return to;
}

int memcmp(const void *left, const void *right, size_t length)
{
    const unsigned char *one = left, *other = right;
    for (size_t at = 0; at < length; at++)
        if (one[at] != other[at])
            return one[at] < other[at] ? -1 : 1;
    return 0;
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end)
        end++;
    return (size_t)(end - text);
}
#endif

void put_bytes(struct buffer *buffer, const void *bytes, size_t length)
{
    size_t room = buffer->capacity - buffer->length;
    if (length > room) {
        length = room;
        buffer->full = true;
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

void put_byte(struct buffer *buffer, char byte)
{
    put_bytes(buffer, &byte, 1);
}

void put_text(struct buffer *buffer, const char *text)
{
    put_bytes(buffer, text, strlen(text));
}

void put_padded(struct buffer *buffer, uint64_t number, unsigned digits)
{
    char reversed[20];
    unsigned length = 0;
    do {
        reversed[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (unsigned zeros = length; zeros < digits; zeros++)
        put_byte(buffer, '0');
    while (length > 0)
        put_byte(buffer, reversed[--length]);
}

void put_number(struct buffer *buffer, uint64_t number)
{
    put_padded(buffer, number, 1);
}

void put_signed(struct buffer *buffer, int64_t number)
{
    if (number < 0)
        put_byte(buffer, '-');
    put_number(buffer, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

const char *put_end(struct buffer *buffer)
{
    if (buffer->length == buffer->capacity) {
        buffer->length--;
        buffer->full = true;
    }
    buffer->bytes[buffer->length] = 0;
    return buffer->bytes;
}

bool text_equal(const char *left, const char *right)
{
    while (*left && *left == *right) {
        left++;
        right++;
    }
    return *left == *right;
}

bool text_starts(const char *text, const char *prefix)
{
    while (*prefix && *text == *prefix) {
        text++;
        prefix++;
    }
    return *prefix == 0;
}

const char *text_find(const char *text, char byte)
{
    for (; *text; text++)
        if (*text == byte)
            return text;
    return NULL;
}

size_t name_offset(const char *path)
{
    size_t at = strlen(path);
    while (at > 0 && path[at - 1] != '/')
        at--;
    return at;
}

uint64_t take_number(const char **at)
{
    uint64_t number = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (uint64_t)(**at - '0');
    return number;
}

uint64_t stat_field(const char *stat, unsigned number)
{
    const char *at = NULL;
    for (const char *next = stat; (next = text_find(next, ')')) != NULL; next++)
        at = next;
    for (unsigned field = 2; at != NULL && field < number; field++) {
        at = text_find(at, ' ');
        if (at != NULL)
            at++;
    }
    return at == NULL ? 0 : take_number(&at);
}

/* What comes after `key` and `separator` at the start of a line, or NULL. */
static const char *find_line(const char *text, const char *key, char separator)
{
    for (const char *line = text; line != NULL;) {
        if (text_starts(line, key) && line[strlen(key)] == separator)
            return line + strlen(key) + 1;
        line = text_find(line, '\n');
        if (line != NULL)
            line++;
    }
    return NULL;
}

uint64_t keyed_number(const char *text, const char *key)
{
    const char *at = find_line(text, key, ' ');
    return at == NULL ? 0 : take_number(&at);
}

uint64_t status_mask(const char *text, const char *key, uint64_t missing)
{
    const char *at = find_line(text, key, '\t');
    uint64_t mask = 0;
    if (at == NULL || *at == 0)
        return missing;
    for (; (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'); at++)
        mask = mask << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    return mask;
}
