/* The functions of jsonlog.h. */
#include "jsonlog.h"

unsigned utf8_length(const uint8_t *bytes, size_t length)
{
    uint8_t first = bytes[0];
    if (first < 0x80)
        return 1;
    unsigned size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || length < size)
        return 0;
    /* The second byte rules out overlong forms, surrogates and what lies beyond U+10FFFF. */
    uint8_t lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < lowest || bytes[1] > highest)
        return 0;
    for (unsigned at = 2; at < size; at++)
        if (bytes[at] < 0x80 || bytes[at] > 0xbf)
            return 0;
    return size;
}

static void put_escape(struct buffer *buffer, unsigned code)
{
    static const char hex[] = "0123456789abcdef";
    put_text(buffer, "\\u");
    for (int shift = 12; shift >= 0; shift -= 4)
        put_byte(buffer, hex[code >> shift & 15]);
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' &&
           byte != '>' && byte != '&';
}

static void put_special(struct buffer *buffer, uint8_t byte)
{
    if (byte == '"' || byte == '\\' || byte == '\n' || byte == '\r') {
        put_byte(buffer, '\\');
        put_byte(buffer, byte == '\n' ? 'n' : byte == '\r' ? 'r' : (char)byte);
    } else {
        put_escape(buffer, byte);
    }
}

void put_json(struct buffer *buffer, const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t start = at;
        while (at < length && is_plain(bytes[at]))
            at++;
        put_bytes(buffer, bytes + start, at - start);
        if (at == length)
            return;
        if (bytes[at] < 0x80) {
            put_special(buffer, bytes[at++]);
            continue;
        }
        unsigned size = utf8_length(bytes + at, length - at);
        if (size == 0)
            put_escape(buffer, 0xfffd);
        else if (size == 3 && bytes[at] == 0xe2 && bytes[at + 1] == 0x80 &&
                 (bytes[at + 2] & 0xfe) == 0xa8)
            put_escape(buffer, 0x2000u | (bytes[at + 2] & 0x3fu));
        else
            put_bytes(buffer, bytes + at, size);
        at += size == 0 ? 1 : size;
    }
}

void put_log_entry(struct buffer *buffer, const char *stream, const char *time, const uint8_t *text,
                   size_t length, bool newline)
{
    put_text(buffer, "{\"log\":\"");
    put_json(buffer, text, length);
    put_text(buffer, newline ? "\\n\",\"stream\":\"" : "\",\"stream\":\"");
    put_text(buffer, stream);
    put_text(buffer, "\",\"time\":\"");
    put_text(buffer, time);
    put_text(buffer, "\"}\n");
}

/* The time of the line's first entry. */
static const char *line_time(struct log_line *line, const char *time)
{
    return line->partial ? line->time : time;
}

static void keep(struct log_line *line, const char *time, const uint8_t *bytes, size_t length,
                 log_entry entry, void *to)
{
    while (length > 0) {
        size_t part = LOG_LINE_LIMIT - line->length;
        if (part > length)
            part = length;
        memcpy(line->bytes + line->length, bytes, part);
        line->length += (uint32_t)part;
        bytes += part;
        length -= part;
        if (line->length < LOG_LINE_LIMIT)
            continue;
        if (!line->partial)
            memcpy(line->time, time, LOG_TIME_SIZE);
        line->partial = true;
        line->length = 0;
        entry(to, line->time, line->bytes, LOG_LINE_LIMIT, false);
    }
}

void log_split(struct log_line *line, const char *time, const uint8_t *bytes, size_t length,
               log_entry entry, void *to)
{
    for (size_t start = 0; start < length;) {
        size_t end = start;
        while (end < length && bytes[end] != '\n')
            end++;
        bool whole = end < length && line->length == 0 && end - start < LOG_LINE_LIMIT;
        if (whole) {
            entry(to, line_time(line, time), bytes + start, end - start, true);
        } else {
            keep(line, time, bytes + start, end - start, entry, to);
            if (end < length)
                entry(to, line_time(line, time), line->bytes, line->length, true);
        }
        if (end < length) {
            line->length = 0;
            line->partial = false;
        }
        start = end + 1;
    }
}

void log_finish(struct log_line *line, const char *time, log_entry entry, void *to)
{
    if (line->length > 0)
        entry(to, line_time(line, time), line->bytes, line->length, false);
    line->length = 0;
    line->partial = false;
}

void format_time(char time[LOG_TIME_SIZE], int64_t seconds, uint32_t nanoseconds)
{
    struct buffer text = { time, 0, LOG_TIME_SIZE, false };
    int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    /*
     * Civil date from days since 1970-01-01 in the proleptic Gregorian calendar, years beginning in
     * March.
     */
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
    int64_t year = year_of_era + era * 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;

    put_padded(&text, (uint64_t)year, 4);
    put_byte(&text, '-');
    put_padded(&text, (uint64_t)month, 2);
    put_byte(&text, '-');
    put_padded(&text, (uint64_t)day, 2);
    put_byte(&text, 'T');
    put_padded(&text, (uint64_t)(rest / 3600), 2);
    put_byte(&text, ':');
    put_padded(&text, (uint64_t)(rest / 60 % 60), 2);
    put_byte(&text, ':');
    put_padded(&text, (uint64_t)(rest % 60), 2);
    if (nanoseconds != 0) {
        unsigned digits = 9;
        for (; nanoseconds % 10 == 0; nanoseconds /= 10)
            digits--;
        put_byte(&text, '.');
        put_padded(&text, nanoseconds, digits);
    }
    put_byte(&text, 'Z');
    put_end(&text);
}
