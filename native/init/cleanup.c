/*
 * After the container's end: what the OOM killer did, what is left to kill, control groups to
 * remove.
 */
#include "supervisor.h"

/* All waiting together. */
#define PATIENCE_MS 2000

/* Levels of control groups that a container may have made below its own: an fd, 1.5 KiB each. */
#define GROUP_DEPTH 64

/* dirent.h */
#define DT_DIR 4

uint64_t read_oom_kills(struct supervisor *supervisor)
{
    char text[512];
    if (supervisor->start.oom_file.length == 0)
        return 0;
    CLOSED int fd = sys_openat(AT_FDCWD, supervisor->start.oom_file.bytes, O_RDONLY | O_CLOEXEC, 0);
    long length = fd < 0 ? fd : sys_read(fd, text, sizeof text - 1);
    if (length <= 0)
        return 0;
    text[length] = 0;
    return keyed_number(text, "oom_kill");
}

/* Sends SIGKILL to every process of a cgroup.procs file; how many there were. */
static unsigned kill_members(int at, const char *path)
{
    char text[1024];
    unsigned count = 0;
    int self = sys_getpid(), pid = 0;
    CLOSED int fd = sys_openat(at, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long length;
    /*
     * A number may be cut by the end of a read, so it is carried over; 0 are processes of other pid
     * namespaces.
     */
    while ((length = sys_read(fd, text, sizeof text)) > 0) {
        for (long index = 0; index < length; index++) {
            if (text[index] >= '0' && text[index] <= '9') {
                pid = pid * 10 + (text[index] - '0');
                continue;
            }
            if (pid > 1 && pid != self) {
                sys_kill(pid, SIGKILL);
                count++;
            }
            pid = 0;
        }
    }
    return count;
}

/* A walk through what a container may have made below its groups, bounded in depth and in time. */
struct walk {
    /* Milliseconds (monotonic). */
    int64_t end;
    unsigned killed;
    bool busy;
};

/* Visits a group of `at`; `depth` levels below it may be visited too. */
typedef void group_visitor(struct walk *walk, int at, const char *name, int depth);

static void visit_below(struct walk *walk, int at, const char *path, int depth,
                        group_visitor *visit)
{
    _Alignas(8) char entries[1024];
    CLOSED int directory = sys_openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    long length;
    while (depth > 0 && (length = sys_getdents64(directory, entries, sizeof entries)) > 0) {
        for (long next = 0; next < length;) {
            const struct kernel_dirent *entry = (const struct kernel_dirent *)(entries + next);
            next += entry->record_length;
            if (entry->type == DT_DIR && entry->name[0] != '.' && monotonic_ms() < walk->end)
                visit(walk, directory, entry->name, depth - 1);
        }
    }
}

/* The parents first, lest they go on making groups. */
static void kill_below(struct walk *walk, int at, const char *name, int depth)
{
    struct statx status;
    CLOSED int group = sys_openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (group < 0)
        return;
    walk->killed += kill_members(group, "cgroup.procs");
    /* Two links are a directory's own; each directory below it adds one. */
    if (sys_statx(group, "", AT_EMPTY_PATH, STATX_NLINK, &status) < 0 || status.stx_nlink > 2)
        visit_below(walk, group, ".", depth, kill_below);
}

static unsigned kill_all(struct supervisor *supervisor, int64_t end)
{
    struct fx_reader items = supervisor->start.kill_procs.items;
    struct walk walk = { .end = end };
    struct fx_text path;
    char directory[PATH_MAX];
    while (fx_read_text(&items, &path)) {
        struct buffer text = { directory, 0, sizeof directory, false };
        put_bytes(&text, path.bytes, name_offset(path.bytes));
        put_byte(&text, '.');
        put_end(&text);
        if (!text.full)
            kill_below(&walk, AT_FDCWD, directory, GROUP_DEPTH);
    }
    return walk.killed;
}

static void remove_below(struct walk *walk, int at, const char *name, int depth);

/* What the container made below the group goes first. */
static void remove_group(struct walk *walk, int at, const char *path, int depth)
{
    int result = sys_unlinkat(at, path, AT_REMOVEDIR);
    if (result == -EBUSY) {
        visit_below(walk, at, path, depth, remove_below);
        result = sys_unlinkat(at, path, AT_REMOVEDIR);
    }
    walk->busy |= result == -EBUSY;
}

static void remove_below(struct walk *walk, int at, const char *name, int depth)
{
    CLOSED int group = sys_openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (group >= 0)
        kill_members(group, "cgroup.procs");
    remove_group(walk, at, name, depth);
}

/* Stops at a group that is busy, as the others are by the same processes; `at_last`: goes on. */
static bool remove_all(struct supervisor *supervisor, int64_t end, bool at_last)
{
    struct fx_reader items = supervisor->start.remove_directories.items;
    struct walk walk = { .end = end };
    struct fx_text path;
    while ((at_last || !walk.busy) && fx_read_text(&items, &path))
        remove_group(&walk, AT_FDCWD, path.bytes, GROUP_DEPTH);
    return !walk.busy;
}

static void kill_by_files(struct supervisor *supervisor)
{
    struct fx_reader items = supervisor->start.kill_files.items;
    struct fx_text path;
    while (fx_read_text(&items, &path)) {
        CLOSED int fd = sys_openat(AT_FDCWD, path.bytes, O_WRONLY | O_CLOEXEC, 0);
        if (fd >= 0)
            sys_write(fd, "1", 1);
    }
}

void kill_and_remove(struct supervisor *supervisor)
{
    uint32_t pause_us = 200;
    int64_t end = monotonic_ms() + PATIENCE_MS;
    /* A group that can be removed holds nobody: mostly all died with the init's pid namespace. */
    bool removed = remove_all(supervisor, end, false);
    kill_by_files(supervisor);
    for (;;) {
        bool at_last = monotonic_ms() >= end;
        unsigned alive = kill_all(supervisor, end);
        if (!removed || alive > 0)
            removed = remove_all(supervisor, end, at_last);
        if ((removed && alive == 0) || at_last)
            return;
        sys_sleep_microseconds(pause_us);
        pause_us = pause_us < 50000 ? pause_us * 2 : pause_us;
    }
}
