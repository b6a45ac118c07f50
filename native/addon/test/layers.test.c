/* Layers, listings and pieces of files under the sanitizers: in order, at their limits, and with damaged records. */
#include "../layer.h"
#include "../../test/expect.h"

#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* In memory: overlayfs's attributes are kept there, and a disk is slow to make thousands of files. */
static char top[] = "/dev/shm/fx-test-XXXXXX";

static void what_is_known_is_found(void)
{
    struct made made = { 0 };
    EXPECT(made_find(&made, 1) == NULL);
    for (uint64_t inode = 1; inode <= 10000; inode++)
        made_know(&made, inode * 4096)->flags = (uint32_t)inode;
    bool found = true, stays = true;
    for (uint64_t inode = 1; inode <= 10000; inode++) {
        struct made_slot *slot = made_find(&made, inode * 4096);
        found = found && slot != NULL && slot->flags == (uint32_t)inode;
        stays = stays && made_know(&made, inode * 4096) == slot;
    }
    EXPECT(found && stays && made.count == 10000 && made_find(&made, 5) == NULL);
    made_free(&made);
}

static void put_entry(struct writer *writer, uint32_t type, uint32_t mode, const char *path, const char *link)
{
    write_u32(writer, RECORD_ENTRY);
    const uint32_t numbers[] = { type, mode, 5, 6, 1, 3, 7 };
    for (size_t at = 0; at < 7; at++)
        write_u32(writer, numbers[at]);
    write_i64(writer, type == TYPE_FILE ? 4 : 0);
    write_i64(writer, 1000);
    write_value(writer, path, strlen(path));
    write_value(writer, link, strlen(link));
    bool attribute = type == TYPE_FILE;
    write_u32(writer, attribute);
    if (attribute) {
        write_value(writer, "security.capability", 19);
        write_value(writer, "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    }
}

static void put_file(struct writer *writer, const char *path)
{
    put_entry(writer, TYPE_FILE, 04755, path, "");
    write_u32(writer, RECORD_PIECE);
    write_i64(writer, 0);
    write_u32(writer, 1);
    write_u32(writer, 4);
    write_u32(writer, RECORD_END);
}

static void put_about(struct writer *writer, uint32_t kind, const char *path)
{
    write_u32(writer, kind);
    write_value(writer, path, strlen(path));
}

static int open_top(void)
{
    return open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void clear(void)
{
    struct fault fault = { 0 };
    int32_t flag = 0;
    EXPECT(remove_tree(top, &flag, &fault) == 0);
    EXPECT(mkdir(top, 0700) == 0);
}

static const struct layer_options alone = { .flat = false, .depth = 8, .implied = 100 };
static const struct layer_options over = { .flat = true, .depth = 8, .implied = 100 };

/* What pieces of files are in. */
static const uint8_t pieces[] = "[data]";
static const struct reader data = { .at = pieces, .end = pieces + 6 };

/* Runs the records on a fresh layer, which is left open when that went well. */
static int run(struct layer_options options, const uint8_t *bytes, const struct writer *writer, struct layer **layer,
               struct fault *fault)
{
    int result = layer_open(open_top(), options, layer, fault);
    if (result < 0)
        return result;
    result = layer_run(*layer, (struct reader){ .at = bytes, .end = writer->at }, data, NULL, fault);
    if (result < 0)
        layer_close(*layer);
    return result;
}

static bool status_of(const char *name, struct stat *status)
{
    int root = open_top();
    bool found = fstatat(root, name, status, AT_SYMLINK_NOFOLLOW) == 0;
    close(root);
    return found;
}

static bool is_marked(const char *name)
{
    char path[256], value[2];
    snprintf(path, sizeof path, "%s/%s", top, name);
    return lgetxattr(path, "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y';
}

static size_t put_layer(uint8_t *bytes, size_t room)
{
    struct writer writer = { .at = bytes, .end = bytes + room };
    put_entry(&writer, TYPE_DIR, 0750, "d", "");
    put_file(&writer, "d/f");
    put_entry(&writer, TYPE_HARDLINK, 0, "d/h", "d/f");
    put_entry(&writer, TYPE_SYMLINK, 0777, "l", "/d");
    put_entry(&writer, TYPE_CHAR, 0600, "l/null", "");
    put_file(&writer, "l/e/g");
    put_about(&writer, RECORD_WHITEOUT, "d/gone");
    put_about(&writer, RECORD_WHITEOUT, "d/e");
    put_about(&writer, RECORD_WHITEOUT, "d/f");
    put_entry(&writer, TYPE_DIR, 0700, "d/gone", "");
    put_about(&writer, RECORD_OPAQUE, "l");
    put_about(&writer, RECORD_WHITEOUT, "away/too");
    put_entry(&writer, TYPE_FIFO, 0600, "d/fifo", "");
    return (size_t)(writer.at - bytes);
}

static void a_layer_is_made_as_overlayfs_wants_it(void)
{
    uint8_t bytes[4096];
    struct writer writer = { .at = bytes + put_layer(bytes, sizeof bytes) };
    struct fault fault = { 0 };
    struct layer *layer;
    struct stat status;
    uint64_t contents;
    clear();
    EXPECT(run(alone, bytes, &writer, &layer, &fault) == 0);
    EXPECT(layer->unsettled == 1);
    EXPECT(layer_finish(layer, -1, NULL, &contents, &fault) == 0 && contents == 8);
    EXPECT(!layer_is_opaque(layer));
    layer_close(layer);
    EXPECT(status_of("d/f", &status) && status.st_mode == (S_IFREG | 04755) && status.st_uid == 5 && status.st_nlink == 2);
    EXPECT(status_of("d/null", &status) && status.st_rdev == makedev(1, 3));
    EXPECT(status_of("d", &status) && status.st_mtim.tv_sec == 1000 && status.st_mtim.tv_nsec == 7);
    EXPECT(status_of("away/too", &status) && is_whiteout(&status));
    EXPECT(status_of("away", &status) && status.st_mtim.tv_sec == 0 && (status.st_mode & 07777) == 0755);
    EXPECT(is_marked("d") && is_marked("d/e") && is_marked("d/gone") && !is_marked("away"));
    EXPECT(layer_open(open_top(), alone, &layer, &fault) == -ENOTEMPTY);
}

static void a_layer_takes_away_what_others_made(void)
{
    uint8_t bytes[4096];
    struct writer writer = { .at = bytes + put_layer(bytes, sizeof bytes) };
    struct fault fault = { 0 };
    struct layer *layer;
    struct stat status;
    uint64_t contents;
    clear();
    EXPECT(run(alone, bytes, &writer, &layer, &fault) == 0);
    EXPECT(layer_finish(layer, -1, NULL, &contents, &fault) == 0);
    layer_close(layer);
    writer = (struct writer){ .at = bytes, .end = bytes + sizeof bytes };
    put_file(&writer, "d/e/mine");
    put_file(&writer, "d/f/inside");
    put_about(&writer, RECORD_REMOVE_LOWER, "d/e");
    put_about(&writer, RECORD_CLEAR_LOWER, "l");
    put_about(&writer, RECORD_CLEAR_LOWER, "l");
    EXPECT(run(over, bytes, &writer, &layer, &fault) == 0);
    EXPECT(layer_finish(layer, -1, NULL, &contents, &fault) == 0 && contents == 8);
    layer_close(layer);
    EXPECT(status_of("d/e/mine", &status) && !status_of("d/e/g", &status) && !status_of("d/h", &status));
    EXPECT(status_of("d/f/inside", &status) && status_of("away", &status));
    EXPECT(status_of("d", &status) && status.st_mtim.tv_sec == 1000);
}

/* Files on several levels of the deepest tree that a layer may have, and below it all that is in it, too. */
static void a_deep_layer_needs_few_descriptors(void)
{
    static const size_t levels[] = { 1000, 500, 100, 3 };
    static const struct layer_options deep = { .flat = false, .depth = 1000, .implied = 2000 };
    static uint8_t bytes[16384];
    static char path[2048];
    struct writer writer = { .at = bytes, .end = bytes + sizeof bytes };
    struct fault fault = { 0 };
    struct layer *layer;
    struct rlimit limit;
    struct stat status;
    uint64_t contents;
    for (size_t at = 0; at < 4; at++) {
        for (size_t level = 0; level < levels[at] - 1; level++)
            memcpy(path + level * 2, "a/", 2);
        strcpy(path + (levels[at] - 1) * 2, "b");
        put_entry(&writer, TYPE_DIR, 0711, path, "");
        strcat(path, "/f");
        put_file(&writer, path);
    }
    clear();
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const struct rlimit few = { .rlim_cur = 160, .rlim_max = limit.rlim_max };
    EXPECT(setrlimit(RLIMIT_NOFILE, &few) == 0);
    EXPECT(run(deep, bytes, &writer, &layer, &fault) == 0);
    int below = open_top();
    EXPECT(layer_finish(layer, below, NULL, &contents, &fault) == 0 && contents == 16);
    close(below);
    layer_close(layer);
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (size_t at = 0; at < 4; at++) {
        memset(path, 0, sizeof path);
        for (size_t level = 0; level < levels[at] - 1; level++)
            memcpy(path + level * 2, "a/", 2);
        path[(levels[at] - 1) * 2] = 'b';
        EXPECT(status_of(path, &status) && status.st_mtim.tv_sec == 1000 && (status.st_mode & 07777) == 0711);
    }
}

static void refusals_say_what_and_where(void)
{
    static const struct { const char *what, *path, *link; uint32_t type; } cases[] = {
        { LAYER_NOT_DIRECTORY, "f/x", "", TYPE_FILE }, { LAYER_LOOP, "loop/x", "", TYPE_FILE },
        { LAYER_DEPTH, "1/2/3/4/5/6/7/8/9/x", "", TYPE_FILE }, { LAYER_LINK_MISSING, "x", "none/y", TYPE_HARDLINK },
        { LAYER_LINK_DIRECTORY, "x", "d", TYPE_HARDLINK }, { LAYER_RESERVED, "hidden/x", "", TYPE_FILE },
    };
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        uint8_t bytes[4096];
        struct writer writer = { .at = bytes, .end = bytes + sizeof bytes };
        struct fault fault = { 0 };
        struct layer *layer;
        clear();
        put_file(&writer, "f");
        put_entry(&writer, TYPE_DIR, 0755, "d", "");
        put_entry(&writer, TYPE_SYMLINK, 0777, "loop", "loop");
        put_entry(&writer, TYPE_SYMLINK, 0777, "hidden", ".wh.x");
        put_entry(&writer, cases[at].type, 0644, cases[at].path, cases[at].link);
        EXPECT(run(alone, bytes, &writer, &layer, &fault) == -EINVAL);
        EXPECT_TEXT(fault.call, cases[at].what);
        EXPECT(fault.index == 5);
    }
}

static void implied_directories_are_counted(void)
{
    uint8_t bytes[65536];
    struct writer writer = { .at = bytes, .end = bytes + sizeof bytes };
    struct fault fault = { 0 };
    struct layer *layer;
    char path[32];
    for (int at = 0; at <= 100; at++) {
        snprintf(path, sizeof path, "%d/x", at);
        put_about(&writer, RECORD_WHITEOUT, path);
    }
    clear();
    EXPECT(run(alone, bytes, &writer, &layer, &fault) == -EINVAL && fault.index == 101);
    EXPECT_TEXT(fault.call, LAYER_ENTRIES);
}

/* Whatever the bytes are, they end in a failure or not: nothing is read or written beside them. */
static void damaged_records_do_no_harm(void)
{
    uint8_t whole[4096];
    size_t length = put_layer(whole, sizeof whole);
    for (int round = 0; round < 400; round++) {
        size_t cut = round < 200 ? (size_t)random_below(length) : length;
        uint8_t *bytes = malloc(cut + 1);
        memcpy(bytes, whole, cut);
        for (int change = 0; round >= 200 && change < 4; change++)
            bytes[random_below(cut)] = (uint8_t)random_number();
        struct fault fault = { 0 };
        struct layer *layer;
        uint64_t contents;
        clear();
        EXPECT(layer_open(open_top(), round % 2 == 0 ? alone : over, &layer, &fault) == 0);
        layer_run(layer, (struct reader){ .at = bytes, .end = bytes + cut }, data, NULL, &fault);
        layer_finish(layer, -1, NULL, &contents, &fault);
        layer_close(layer);
        free(bytes);
    }
    EXPECT(access("/dev/shm/gone", F_OK) < 0);
}

static void put_request(struct writer *writer, uint32_t levels, uint32_t optional, const char *path)
{
    write_u32(writer, levels);
    write_u32(writer, optional);
    write_value(writer, path, strlen(path));
    write_value(writer, path, strlen(path));
}

/* The paths that a listing names, each followed by a space; whole or in the smallest pieces that hold one record. */
static void list(const uint8_t *requests, size_t length, size_t room, char *names)
{
    struct fault fault = { 0 };
    struct walk *walk;
    EXPECT(list_open(open_top(), requests, length, &walk, &fault) == 0);
    uint8_t *bytes = malloc(room);
    int count;
    names[0] = 0;
    while ((count = walk_next(walk, bytes, room, NULL, &fault)) > 0) {
        struct reader reader = { .at = bytes, .end = bytes + count };
        while (reader.at < reader.end) {
            uint32_t kind;
            struct facts facts = { .path = "?" };
            EXPECT(read_u32(&reader, &kind) && kind == RECORD_ENTRY && read_facts(&reader, &facts) && skip_xattrs(&reader));
            strcat(strcat(names, facts.path), " ");
        }
    }
    EXPECT(count == 0);
    free(bytes);
    walk_close(walk);
}

static void trees_are_listed_as_far_as_asked(void)
{
    uint8_t bytes[4096], requests[512];
    char names[512];
    struct writer writer = { .at = bytes + put_layer(bytes, sizeof bytes) };
    struct fault fault = { 0 };
    struct layer *layer;
    clear();
    EXPECT(run(alone, bytes, &writer, &layer, &fault) == 0);
    layer_close(layer);
    writer = (struct writer){ .at = requests, .end = requests + sizeof requests };
    put_request(&writer, UINT32_MAX, 0, "");
    for (size_t room = 200; room <= 3200; room *= 4) {
        list(requests, (size_t)(writer.at - requests), room, names);
        EXPECT_TEXT(names, " away away/too d d/e d/e/g d/f d/fifo d/gone d/h d/null l ");
    }
    writer = (struct writer){ .at = requests, .end = requests + sizeof requests };
    put_request(&writer, 1, 1, "d");
    put_request(&writer, 1, 1, "l/e");
    put_request(&writer, 0, 1, "l");
    put_request(&writer, 0, 1, "none/x");
    put_request(&writer, 0, 1, "d/f/x");
    list(requests, (size_t)(writer.at - requests), 4096, names);
    EXPECT_TEXT(names, "d d/e d/f d/fifo d/gone d/h d/null l ");
    /* Cut off requests are none. */
    struct walk *walk;
    EXPECT(list_open(open_top(), requests, 9, &walk, &fault) == 0);
    EXPECT(walk_next(walk, bytes, sizeof bytes, NULL, &fault) == -EBADMSG);
    walk_close(walk);
}

static void pieces_are_read_whole(void)
{
    uint8_t bytes[512], data[8];
    struct writer writer = { .at = bytes, .end = bytes + sizeof bytes };
    struct fault fault = { 0 };
    const char *paths[] = { "d/f", "d/h", "d/f" };
    for (int64_t at = 0; at < 3; at++) {
        write_i64(&writer, at);
        write_u32(&writer, 2);
        write_value(&writer, paths[at], 3);
    }
    const struct reader pieces = { .at = bytes, .end = writer.at };
    int root = open_top();
    EXPECT(read_pieces(root, pieces, (struct writer){ .at = data, .end = data + 6 }, NULL, &fault) == 0);
    EXPECT(memcmp(data, "daatta", 6) == 0);
    EXPECT(read_pieces(root, pieces, (struct writer){ .at = data, .end = data + 5 }, NULL, &fault) == -EINVAL);
    write_i64(&writer, 3);
    write_u32(&writer, 2);
    write_value(&writer, "d/f", 3);
    const struct reader more = { .at = bytes, .end = writer.at };
    EXPECT(read_pieces(root, more, (struct writer){ .at = data, .end = data + 8 }, NULL, &fault) == -EIO);
    close(root);
}

int main(void)
{
    what_is_known_is_found();
    if (mkdtemp(top) == NULL)
        return 1;
    if (geteuid() == 0) {
        a_layer_is_made_as_overlayfs_wants_it();
        a_layer_takes_away_what_others_made();
        a_deep_layer_needs_few_descriptors();
        refusals_say_what_and_where();
        implied_directories_are_counted();
        damaged_records_do_no_harm();
        trees_are_listed_as_far_as_asked();
        pieces_are_read_whole();
        clear();
    }
    rmdir(top);
    return conclude("addon/layers");
}
