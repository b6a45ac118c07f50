/* Batches, trees and archives of the addon under the sanitizers, in a directory of their own: also with bytes that were damaged on the way. */
#include "../addon.h"
#include "../../test/expect.h"

#include <stdio.h>

/* In memory: a disk is slow to make thousands of files. */
static char top[] = "/dev/shm/fx-test-XXXXXX";

static void put_path(struct writer *writer, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", top, name);
    write_value(writer, path, strlen(path));
}

static size_t make_batch(uint8_t *bytes, size_t room)
{
    struct writer writer = { .at = bytes, .end = bytes + room };
    static const struct { uint32_t code; const char *path; } steps[] = {
        { 1, "a" }, { 2, "a/b/c" }, { 3, "a/file" }, { 4, "a/missing" }, { 6, "a/group" }, { 7, "a/group/x" }, { 8, "a" },
        { 5, "a/b" }, { 9, "a/group" },
    };
    for (size_t at = 0; at < sizeof steps / sizeof steps[0]; at++) {
        write_u32(&writer, steps[at].code);
        write_u32(&writer, 0755);
        put_path(&writer, steps[at].path);
        if (steps[at].code == 8)
            write_value(&writer, "file", 4);
        if (steps[at].code == 3 || steps[at].code == 8)
            write_value(&writer, "value", 5);
    }
    return (size_t)(writer.at - bytes);
}

static bool exists(const char *name)
{
    char path[256];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", top, name);
    return lstat(path, &status) == 0;
}

static void clear(void)
{
    struct fault fault = { 0 };
    char path[256];
    int32_t flag = 0;
    snprintf(path, sizeof path, "%s/a", top);
    EXPECT(remove_tree(path, &flag, &fault) == 0);
}

static void batches_run_to_their_end(void)
{
    uint8_t bytes[4096];
    struct fault fault = { 0 };
    size_t length = make_batch(bytes, sizeof bytes);
    EXPECT(run_batch(bytes, length, NULL, &fault) == 0);
    EXPECT(exists("a/file") && !exists("a/b") && !exists("a/group"));
    EXPECT(run_batch(bytes, length, NULL, &fault) == -EEXIST && fault.index == 0);
    EXPECT_TEXT(fault.call, "mkdir");
    int32_t stopped = 1;
    EXPECT(run_batch(bytes, length, &stopped, &fault) == -ECANCELED);
    clear();
}

/* Only lengths are damaged and ends cut off: paths stay in our directory, or are refused. */
static void damaged_batches_do_no_harm(void)
{
    uint8_t whole[4096];
    size_t length = make_batch(whole, sizeof whole);
    for (size_t cut = 1; cut < length; cut++) {
        struct fault fault = { 0 };
        uint8_t *bytes = malloc(cut);
        memcpy(bytes, whole, cut);
        int result = run_batch(bytes, cut, NULL, &fault);
        EXPECT(result == 0 || result == -EBADMSG || result == -EINVAL);
        free(bytes);
        clear();
    }
    for (uint32_t wrong = 0; wrong < 12; wrong++) {
        static const uint32_t lengths[] = { 0, 1, 12, 0xffff, 0x7fffffff, 0xffffffff };
        struct fault fault = { 0 };
        uint8_t *bytes = malloc(length);
        memcpy(bytes, whole, length);
        struct writer writer = { .at = bytes + (wrong < 6 ? 8 : 0), .end = bytes + length };
        write_u32(&writer, lengths[wrong % 6] + (wrong < 6 ? 0 : 100));
        EXPECT(run_batch(bytes, length, NULL, &fault) < 0);
        free(bytes);
        clear();
    }
}

static void put_entry(struct writer *writer, uint32_t type, const char *path, const char *link, int64_t size)
{
    write_u32(writer, RECORD_ENTRY);
    write_u32(writer, type);
    for (int number = 0; number < 6; number++)
        write_u32(writer, number == 0 ? 0755 : 0);
    write_i64(writer, size);
    write_i64(writer, 1000000000);
    write_value(writer, path, strlen(path));
    write_value(writer, link, strlen(link));
    write_u32(writer, type == TYPE_FILE ? 2 : 0);
    if (type == TYPE_FILE) {
        write_value(writer, "user.a", 6);
        write_value(writer, "one", 3);
        write_value(writer, "trusted.b", 9);
        write_value(writer, "", 0);
    }
}

static size_t make_archive(uint8_t *bytes, size_t room)
{
    struct writer writer = { .at = bytes, .end = bytes + room };
    put_entry(&writer, TYPE_DIR, "d", "", 0);
    write_u32(&writer, RECORD_END);
    put_entry(&writer, TYPE_FILE, "d/implied/file", "", 10);
    write_u32(&writer, RECORD_DATA);
    write_i64(&writer, 2);
    write_value(&writer, "12345", 5);
    write_u32(&writer, RECORD_END);
    put_entry(&writer, TYPE_SYMLINK, "link", "d", 0);
    write_u32(&writer, RECORD_END);
    put_entry(&writer, TYPE_HARDLINK, "link/second", "d/implied/file", 0);
    write_u32(&writer, RECORD_END);
    put_entry(&writer, TYPE_FIFO, "d", "", 0);
    write_u32(&writer, RECORD_END);
    put_entry(&writer, TYPE_DIR, "d", "", 0);
    write_u32(&writer, RECORD_TIMES);
    write_u32(&writer, 5);
    write_i64(&writer, 7);
    write_value(&writer, "d", 1);
    return (size_t)(writer.at - bytes);
}

static int unpack_into(const uint8_t *bytes, size_t length, struct fault *fault)
{
    struct unpack *unpack;
    struct unpack_options options = { .uid = getuid(), .gid = getgid() };
    int root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = unpack_open(root, "a", options, &unpack, fault);
    if (result < 0)
        return result;
    result = unpack_run(unpack, bytes, length, NULL, fault);
    unpack_close(unpack);
    return result;
}

static void make_target(void)
{
    struct fault fault = { 0 };
    char path[256];
    clear();
    snprintf(path, sizeof path, "%s/a", top);
    EXPECT(make_directories(path, 0755, &fault) == 0);
}

static void archives_are_unpacked(void)
{
    uint8_t bytes[4096];
    struct fault fault = { 0 };
    size_t length = make_archive(bytes, sizeof bytes);
    make_target();
    EXPECT(unpack_into(bytes, length, &fault) == 0);
    EXPECT(exists("a/d") && exists("a/link") && !exists("a/d/implied"));
}

static void damaged_archives_do_no_harm(void)
{
    uint8_t whole[4096];
    size_t length = make_archive(whole, sizeof whole);
    for (int round = 0; round < 3000; round++) {
        struct fault fault = { 0 };
        size_t cut = round < 1000 ? random_below(length) + 1 : length;
        uint8_t *bytes = malloc(cut);
        memcpy(bytes, whole, cut);
        /* Numbers and paths may become anything: the directory holds them. */
        for (uint64_t damage = round < 1000 ? 0 : 1 + random_below(4); damage > 0; damage--)
            bytes[random_below(cut)] = (uint8_t)random_number();
        if (round % 10 == 0)
            make_target();
        unpack_into(bytes, cut, &fault);
        free(bytes);
    }
    make_target();
}

/* Reads the tree in pieces of a size, and gives the number of entries. */
static int count_entries(size_t room)
{
    struct walk *walk;
    struct fault fault = { 0 };
    int root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC), entries = 0, count;
    if (walk_open(root, "a", "named", true, &walk, &fault) < 0)
        return -1;
    uint8_t *bytes = malloc(room);
    while ((count = walk_next(walk, bytes, room, NULL, &fault)) > 0) {
        struct reader reader = { .at = bytes, .end = bytes + count };
        uint32_t kind, number, length;
        const uint8_t *value;
        const char *text;
        int64_t large;
        while (read_u32(&reader, &kind)) {
            if (kind == RECORD_DATA) {
                EXPECT(read_value(&reader, &value, &length));
                continue;
            }
            entries++;
            for (int at = 0; at < 7; at++)
                EXPECT(read_u32(&reader, &number));
            EXPECT(read_i64(&reader, &large) && read_i64(&reader, &large));
            EXPECT(read_text(&reader, &text) && strncmp(text, "named", 5) == 0 && read_text(&reader, &text));
            EXPECT(read_u32(&reader, &number));
            for (; number > 0; number--)
                EXPECT(read_text(&reader, &text) && read_value(&reader, &value, &length));
        }
        EXPECT(reader.at == reader.end);
    }
    EXPECT(count == 0);
    free(bytes);
    walk_close(walk);
    return entries;
}

static void trees_are_walked_in_pieces_of_any_size(void)
{
    char path[256];
    struct fault fault = { 0 };
    make_target();
    for (int at = 0; at < 300; at++) {
        snprintf(path, sizeof path, "%s/a/%d/%d", top, at % 7, at);
        EXPECT(make_directories(path, 0755, &fault) == 0);
        strcat(path, "/file");
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        EXPECT(ftruncate(fd, at * 100) == 0);
        close(fd);
    }
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "%s/a", top);
    EXPECT(measure_tree(path, NULL, &bytes, &fault) == 0 && bytes == 100 * 299 * 300 / 2);
    EXPECT(count_entries(8300) == 1 + 7 + 600);
    EXPECT(count_entries(1 << 20) == 1 + 7 + 600);
}

static void a_walk_given_up_leaves_nothing(void)
{
    struct walk *walk;
    struct fault fault = { 0 };
    uint8_t bytes[10000];
    int root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
    EXPECT(walk_open(root, "a", "", true, &walk, &fault) == 0);
    EXPECT(walk_next(walk, bytes, sizeof bytes, NULL, &fault) > 0);
    walk_close(walk);
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT(next == root);
    close(next);
}

int main(void)
{
    if (mkdtemp(top) == NULL)
        return 1;
    batches_run_to_their_end();
    damaged_batches_do_no_harm();
    archives_are_unpacked();
    damaged_archives_do_no_harm();
    trees_are_walked_in_pieces_of_any_size();
    a_walk_given_up_leaves_nothing();
    clear();
    rmdir(top);
    return conclude("addon/trees");
}
