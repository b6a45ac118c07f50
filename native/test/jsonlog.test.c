/* Docker's log format: escaping, UTF-8, lines and partial lines, times. */
#include "../init/jsonlog.h"
#include "expect.h"

#include <time.h>

static const char *json(const void *bytes, size_t length)
{
    static char text[1024];
    struct buffer buffer = { text, 0, sizeof text, false };
    put_json(&buffer, bytes, length);
    return put_end(&buffer);
}

#define JSON(literal) json(literal, sizeof literal - 1)

static void escapes_as_docker_does(void)
{
    EXPECT_TEXT(JSON("plain text"), "plain text");
    EXPECT_TEXT(JSON("a\tb\rc\nd\0e\x1b\x7f"), "a\\u0009b\\rc\\nd\\u0000e\\u001b\x7f");
    EXPECT_TEXT(JSON("\"\\/<b>&"), "\\\"\\\\/\\u003cb\\u003e\\u0026");
    EXPECT_TEXT(JSON("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3"),
                "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3");
    EXPECT_TEXT(JSON("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"), "\\u2028\\u2029\xe2\x80\xaa");
    EXPECT_TEXT(JSON("a\xff\xc3(\xe2\x82"), "a\\ufffd\\ufffd(\\ufffd\\ufffd");
    EXPECT_TEXT(JSON("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd");
}

/* The definition of the Unicode standard, written the other way round: encode and compare. */
static unsigned encode(uint32_t code, uint8_t into[4])
{
    if (code < 0x80) {
        into[0] = (uint8_t)code;
        return 1;
    }
    unsigned size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (unsigned at = size; at-- > 1; code >>= 6)
        into[at] = (uint8_t)(0x80 | (code & 0x3f));
    into[0] = (uint8_t)(lead[size] | code);
    return size;
}

static void knows_every_character(void)
{
    uint8_t bytes[4];
    for (uint32_t code = 0; code < 0x110000; code++) {
        unsigned size = encode(code, bytes), wanted = code >= 0xd800 && code < 0xe000 ? 0 : size;
        if (utf8_length(bytes, size) != wanted)
            EXPECT(code == 0xffffffff);
        if (size > 1 && utf8_length(bytes, size - 1) != 0)
            EXPECT(code == 0xffffffff);
    }
    /* Of all sequences of two bytes, 30 leads by 64 ends are characters of two. */
    unsigned pairs = 0;
    for (unsigned first = 0x80; first < 0x100; first++)
        for (unsigned second = 0; second < 0x100; second++) {
            uint8_t pair[2] = { (uint8_t)first, (uint8_t)second };
            pairs += utf8_length(pair, 2) == 2;
        }
    EXPECT(pairs == 30 * 64);
    static const uint8_t beyond[] = { 0xf4, 0x90, 0x80, 0x80 }, overlong[] = { 0xe0, 0x9f, 0xbf };
    EXPECT(utf8_length(beyond, 4) == 0 && utf8_length(overlong, 3) == 0);
}

/* What came out: lines whole again, and how they were cut. */
struct collected {
    char text[300000];
    size_t length;
    unsigned entries, partials;
    size_t longest;
    char times[64][LOG_TIME_SIZE];
};

static void collect(void *to, const char *time, const uint8_t *text, size_t length, bool newline)
{
    struct collected *collected = to;
    memcpy(collected->text + collected->length, text, length);
    collected->length += length;
    if (newline)
        collected->text[collected->length++] = '\n';
    if (collected->entries < 64)
        memcpy(collected->times[collected->entries], time, LOG_TIME_SIZE);
    collected->entries++;
    collected->partials += !newline;
    if (length > collected->longest)
        collected->longest = length;
}

static uint8_t line_bytes[LOG_LINE_LIMIT];
static struct log_line line;
static struct collected collected;

static void begin(void)
{
    line = (struct log_line){ .bytes = line_bytes };
    memset(&collected, 0, sizeof collected);
}

static void put(const char *time, const void *bytes, size_t length)
{
    char padded[LOG_TIME_SIZE] = { 0 };
    memcpy(padded, time, strlen(time));
    log_split(&line, padded, bytes, length, collect, &collected);
}

static void cuts_lines(void)
{
    begin();
    put("1", "one\ntwo", 7);
    EXPECT(collected.entries == 1);
    put("2", "\n\nend", 5);
    EXPECT(collected.entries == 3);
    char time[LOG_TIME_SIZE] = "3";
    log_finish(&line, time, collect, &collected);
    EXPECT(collected.entries == 4 && collected.partials == 1);
    EXPECT_TEXT(collected.text, "one\ntwo\n\nend");
    EXPECT_TEXT(collected.times[1], "2");
    log_finish(&line, time, collect, &collected);
    EXPECT(collected.entries == 4);
}

static void cuts_long_lines_at_the_limit(void)
{
    static uint8_t many[LOG_LINE_LIMIT * 2 + 5];
    memset(many, 'x', sizeof many);
    begin();
    put("1", many, LOG_LINE_LIMIT - 1);
    put("2", "\n", 1);
    EXPECT(collected.entries == 1 && collected.partials == 0);
    begin();
    put("1", many, LOG_LINE_LIMIT);
    EXPECT(collected.entries == 1 && collected.partials == 1);
    put("2", "\n", 1);
    EXPECT(collected.entries == 2 && collected.length == LOG_LINE_LIMIT + 1);
    EXPECT_TEXT(collected.times[1], "1");
    put("3", "next\n", 5);
    EXPECT_TEXT(collected.times[2], "3");
    begin();
    put("1", many, sizeof many);
    put("2", "\n", 1);
    EXPECT(collected.entries == 3 && collected.partials == 2 &&
           collected.longest == LOG_LINE_LIMIT);
}

/* However the stream is cut into reads, all of it comes out, in entries of the same size. */
static void does_not_depend_on_reads(void)
{
    static uint8_t stream[200000];
    static struct collected whole;
    for (unsigned round = 0; round < 40; round++) {
        size_t length = random_below(sizeof stream) + 1, rare = random_below(60000) + 1;
        for (size_t at = 0; at < length; at++)
            stream[at] = random_below(rare) == 0 ? '\n' : (uint8_t)('a' + random_below(26));
        begin();
        put("1", stream, length);
        log_finish(&line, "1\0                              ", collect, &collected);
        whole = collected;
        begin();
        for (size_t at = 0; at < length;) {
            size_t part = random_below(30000) + 1;
            part = part > length - at ? length - at : part;
            put("1", stream + at, part);
            at += part;
        }
        log_finish(&line, "1\0                              ", collect, &collected);
        EXPECT(collected.length == length && memcmp(collected.text, stream, length) == 0);
        EXPECT(collected.entries == whole.entries && collected.partials == whole.partials);
        EXPECT(collected.longest <= LOG_LINE_LIMIT);
    }
}

static void writes_whole_entries(void)
{
    char text[256];
    struct buffer buffer = { text, 0, sizeof text, false };
    put_log_entry(&buffer, "stderr", "2024-02-29T00:00:00Z", (const uint8_t *)"a\"b", 3, true);
    put_log_entry(&buffer, "stdout", "T", (const uint8_t *)"", 0, false);
    EXPECT_TEXT(put_end(&buffer),
                "{\"log\":\"a\\\"b\\n\",\"stream\":\"stderr\",\"time\":\"2024-02-29T00:00:00Z\"}\n"
                "{\"log\":\"\",\"stream\":\"stdout\",\"time\":\"T\"}\n");
    /* LOG_ENTRY_FRAME holds for the longest time there is. */
    buffer.length = 0;
    put_log_entry(&buffer, "stdout", "2024-02-29T00:00:00.123456789Z", (const uint8_t *)"", 0,
                  true);
    EXPECT(buffer.length <= LOG_ENTRY_FRAME);
}

static void formats_times_as_go_does(void)
{
    char time[LOG_TIME_SIZE];
    format_time(time, 0, 0);
    EXPECT_TEXT(time, "1970-01-01T00:00:00Z");
    format_time(time, 1709164800, 120000000);
    EXPECT_TEXT(time, "2024-02-29T00:00:00.12Z");
    format_time(time, 1709164800, 1);
    EXPECT_TEXT(time, "2024-02-29T00:00:00.000000001Z");
    for (unsigned round = 0; round < 20000; round++) {
        /* Years 1 to 9999. */
        time_t seconds = (time_t)random_below(315537897599u) - 62135596800;
        char wanted[64];
        struct tm parts;
        strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &parts));
        if (parts.tm_year < -900)
            continue;
        format_time(time, seconds, 0);
        EXPECT_TEXT(time, wanted);
    }
}

int main(void)
{
    escapes_as_docker_does();
    knows_every_character();
    cuts_lines();
    cuts_long_lines_at_the_limit();
    does_not_depend_on_reads();
    writes_whole_entries();
    formats_times_as_go_does();
    return conclude("jsonlog");
}
