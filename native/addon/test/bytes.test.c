/* Packed records, start times and the map of inodes: the addon's parts without system calls. */
#include "../addon.h"
#include "../../test/expect.h"

static void records_come_back(void)
{
    uint8_t bytes[64];
    struct writer writer = { .at = bytes, .end = bytes + sizeof bytes };
    EXPECT(write_u32(&writer, 0xfedcba98u) && write_i64(&writer, INT64_MIN + 5) && write_value(&writer, "a\0b", 3));
    EXPECT(write_value(&writer, "text", 4));
    struct reader reader = { .at = bytes, .end = writer.at };
    uint32_t number = 0, length = 0;
    int64_t large = 0;
    const uint8_t *value = NULL;
    const char *text = "";
    EXPECT(read_u32(&reader, &number) && number == 0xfedcba98u);
    EXPECT(read_i64(&reader, &large) && large == INT64_MIN + 5);
    EXPECT(read_value(&reader, &value, &length) && length == 3 && memcmp(value, "a\0b", 4) == 0);
    EXPECT(read_text(&reader, &text));
    EXPECT_TEXT(text, "text");
    EXPECT(reader.at == reader.end && !read_u32(&reader, &number));
}

static void a_text_has_no_nul_inside(void)
{
    uint8_t bytes[16];
    struct writer writer = { .at = bytes, .end = bytes + sizeof bytes };
    EXPECT(write_value(&writer, "a\0b", 3));
    struct reader reader = { .at = bytes, .end = writer.at };
    const char *text;
    EXPECT(!read_text(&reader, &text));
}

/* The memory ends where the bytes end, so that the sanitizer sees each byte too far. */
static void a_reader_stays_inside(void)
{
    uint8_t whole[32];
    struct writer writer = { .at = whole, .end = whole + sizeof whole };
    EXPECT(write_value(&writer, "0123456789", 10));
    size_t used = (size_t)(writer.at - whole);
    for (size_t length = 0; length < used; length++) {
        uint8_t *cut = malloc(length == 0 ? 1 : length);
        memcpy(cut, whole, length);
        struct reader reader = { .at = cut, .end = cut + length };
        const char *text;
        EXPECT(!read_text(&reader, &text));
        free(cut);
    }
    for (int round = 0; round < 20000; round++) {
        size_t length = random_below(24);
        uint8_t *noise = malloc(length == 0 ? 1 : length);
        for (size_t at = 0; at < length; at++)
            noise[at] = random_below(3) == 0 ? (uint8_t)random_number() : 0;
        struct reader reader = { .at = noise, .end = noise + length };
        const char *text;
        while (read_text(&reader, &text))
            EXPECT(strlen(text) < length);
        free(noise);
    }
}

static void a_writer_stays_inside(void)
{
    for (size_t room = 0; room < 12; room++) {
        uint8_t *bytes = malloc(room == 0 ? 1 : room);
        struct writer writer = { .at = bytes, .end = bytes + room };
        EXPECT(write_value(&writer, "1234567", 7) == (room >= 12));
        EXPECT(write_u32(&writer, 1) == (room >= 4));
        writer.at = bytes;
        EXPECT(write_i64(&writer, 1) == (room >= 8));
        free(bytes);
    }
}

static void start_times_are_found_behind_any_name(void)
{
    EXPECT(parse_start_time("1 (sh) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9") == 4711);
    EXPECT(parse_start_time("1 (a) b) (c) R 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 9") == 99);
    EXPECT(parse_start_time("1 () R 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 18446744073709551615") == UINT64_MAX);
    EXPECT(parse_start_time("1 (sh) S 0 1 1 0") == 0);
    EXPECT(parse_start_time("1 (sh) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 ") == 0);
    EXPECT(parse_start_time("1 (sh)") == 0);
    EXPECT(parse_start_time("") == 0);
}

static void inodes_keep_their_first_name(void)
{
    struct inode_map map = { 0 };
    char name[32];
    EXPECT(inode_name(&map, 1, 1) == NULL);
    for (uint64_t inode = 1; inode <= 5000; inode++) {
        snprintf(name, sizeof name, "name %d", (int)inode);
        EXPECT(inode_remember(&map, inode % 3, inode, name));
        EXPECT(inode_remember(&map, inode % 3, inode, "second"));
    }
    for (uint64_t inode = 1; inode <= 5000; inode++) {
        snprintf(name, sizeof name, "name %d", (int)inode);
        const char *found = inode_name(&map, inode % 3, inode);
        EXPECT_TEXT(found == NULL ? "none" : found, name);
        EXPECT(inode_name(&map, inode % 3 + 1, inode) == NULL);
    }
    inode_map_free(&map);
    EXPECT(inode_name(&map, 1, 1) == NULL);
}

static void faults_are_cut_to_their_room(void)
{
    struct fault fault = { 0 };
    char path[2000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    fault_at(&fault, path);
    EXPECT(strlen(fault.path) == sizeof fault.path - 1);
    EXPECT(failed_with(&fault, "call", ENOENT) == -ENOENT && strcmp(fault.call, "call") == 0);
    EXPECT(failed_with(&fault, "call", 0) == -EIO);
}

int main(void)
{
    records_come_back();
    a_text_has_no_nul_inside();
    a_reader_stays_inside();
    a_writer_stays_inside();
    start_times_are_found_behind_any_name();
    inodes_keep_their_first_name();
    faults_are_cut_to_their_room();
    return conclude("addon/bytes");
}
