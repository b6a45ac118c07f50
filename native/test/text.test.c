/* Building and reading of texts, the search along PATH, names and status lines. */
#include "../init/log.h"
#include "../init/search.h"
#include "../init/status.h"
#include "expect.h"

#include <inttypes.h>

static void writes_numbers(void)
{
    for (unsigned round = 0; round < 2000; round++) {
        char text[32], wanted[32];
        int64_t number = (int64_t)(random_number() >> random_below(64));
        number = round % 2 ? number : -number;
        struct buffer buffer = { text, 0, sizeof text, false };
        put_signed(&buffer, number);
        snprintf(wanted, sizeof wanted, "%" PRId64, number);
        EXPECT_TEXT(put_end(&buffer), wanted);
        const char *at = wanted + (number < 0);
        EXPECT(take_number(&at) == (number < 0 ? 0 - (uint64_t)number : (uint64_t)number) &&
               *at == 0);
    }
    char text[32];
    struct buffer buffer = { text, 0, sizeof text, false };
    put_signed(&buffer, INT64_MIN);
    put_padded(&buffer, 7, 3);
    EXPECT_TEXT(put_end(&buffer), "-9223372036854775808007");
}

static void never_writes_beyond_a_buffer(void)
{
    for (size_t capacity = 1; capacity < 20; capacity++) {
        char *exact = malloc(capacity);
        struct buffer buffer = { exact, 0, capacity, false };
        put_text(&buffer, "0123456789");
        put_number(&buffer, 4711);
        put_end(&buffer);
        EXPECT(buffer.full == (capacity < 15));
        EXPECT(strlen(exact) == (capacity < 15 ? capacity - 1 : 14));
        free(exact);
    }
}

static void reads_fields_of_stat(void)
{
    const char *stat =
        "42 (a) ) (b 1 2) S 1 42 42 0 -1 4194304 5 6 7 8 9 10 11 12 20 0 1 0 987654 rest";
    EXPECT(stat_field(stat, 4) == 1);
    EXPECT(stat_field(stat, 9) == 4194304);
    EXPECT(stat_field(stat, 22) == 987654);
    EXPECT(stat_field("42 (cut) S 1", 22) == 0);
    EXPECT(stat_field("", 22) == 0);
}

static void reads_keyed_numbers(void)
{
    const char *events = "low 1\noom 3\noom_kill 7\noom_group_kill 2\n";
    EXPECT(keyed_number(events, "oom_kill") == 7);
    EXPECT(keyed_number(events, "oom") == 3);
    EXPECT(keyed_number(events, "kill") == 0);
    EXPECT(keyed_number("oom_kill_disable 0\nunder_oom 0\noom_kill 12", "oom_kill") == 12);
}

static void searches_along_path(void)
{
    char candidate[16];
    const char *place = "/a::relative:/b/:/much/too/long/for/this:/c";
    EXPECT(next_candidate(&place, "prog", candidate, sizeof candidate));
    EXPECT_TEXT(candidate, "/a/prog");
    EXPECT(next_candidate(&place, "prog", candidate, sizeof candidate));
    EXPECT_TEXT(candidate, "/b/prog");
    EXPECT(next_candidate(&place, "prog", candidate, sizeof candidate));
    EXPECT_TEXT(candidate, "/c/prog");
    EXPECT(!next_candidate(&place, "prog", candidate, sizeof candidate));
    place = "/";
    EXPECT(next_candidate(&place, "x", candidate, sizeof candidate));
    EXPECT_TEXT(candidate, "/x");
}

static void names_rotated_logs(void)
{
    char name[12];
    EXPECT_TEXT(log_rotated_name(name, sizeof name, "/a/b.log", 12), "/a/b.log.12");
    EXPECT(log_rotated_name(name, sizeof name, "/a/b.log", 123) == NULL);
}

static void writes_status_lines(void)
{
    char text[512];
    struct buffer buffer = { text, 0, sizeof text, false };
    struct status status = { .supervisor_pid = 7, .supervisor_start = 8 };
    put_status(&buffer, &status);
    EXPECT_TEXT(put_end(&buffer), "supervisor 7 8\n");
    buffer.length = 0;
    status.init_pid = 9;
    status.init_start = 10;
    status.started_at = 1000000000000000001u;
    status.exited_at = 1000000000000000002u;
    status.code = 137;
    status.signal = 9;
    status.oom_killed = true;
    put_status(&buffer, &status);
    EXPECT_TEXT(put_end(&buffer), "supervisor 7 8\ninit 9 10\nstarted 1000000000000000001\n"
                                  "exited 1000000000000000002 137 9 1\n");
    buffer.length = 0;
    struct status failed = { .supervisor_pid = 1,
                             .failed = true,
                             .failed_operation = -1,
                             .failed_error = 2,
                             .failed_syscall = "ioctl",
                             .failed_path = "/with space\nand newline" };
    put_status(&buffer, &failed);
    EXPECT_TEXT(put_end(&buffer), "supervisor 1 0\nfailed -1 2 ioctl /with space?and newline\n");
}

static void reads_masks_of_status(void)
{
    const char *status = "Name:\tSigIgn:\nSigBlk:\t0000000000000001\nSigIgn:\t8000000000001a2f\n";
    EXPECT(status_mask(status, "SigIgn:", 7) == 0x8000000000001a2full);
    EXPECT(status_mask(status, "SigCgt:", 7) == 7);
    EXPECT(status_mask("SigIgn:\t", "SigIgn:", 7) == 7);
}

static void finds_the_last_component(void)
{
    EXPECT(name_offset("/a/bc") == 3 && name_offset("bc") == 0 && name_offset("/a/") == 3 &&
           name_offset("/a") == 1 && name_offset("") == 0);
}

static void compares_texts(void)
{
    EXPECT(text_equal("", "") && text_equal("ab", "ab") && !text_equal("ab", "a") &&
           !text_equal("a", "ab"));
    EXPECT(text_starts("abc", "ab") && text_starts("abc", "") && !text_starts("a", "ab"));
    EXPECT(text_find("abc", 'd') == NULL);
}

int main(void)
{
    writes_numbers();
    never_writes_beyond_a_buffer();
    reads_fields_of_stat();
    reads_keyed_numbers();
    searches_along_path();
    names_rotated_logs();
    writes_status_lines();
    reads_masks_of_status();
    finds_the_last_component();
    compares_texts();
    return conclude("text");
}
