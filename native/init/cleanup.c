/*
 * After the container's end: what the OOM killer did, what is left to kill, control groups to
 * remove.
 */
#include "supervisor.h"

/* All waiting together. */
#define PATIENCE_MS 2000

/* Levels of control groups that a container may have made below its own. */
#define GROUP_DEPTH 16

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

static int remove_groups_below(int directory, int depth);

/* Removes one group; what the container made below it goes first. */
static int remove_group(int at, const char *path, int depth)
{
    int result = sys_unlinkat(at, path, AT_REMOVEDIR);
    if (result != -EBUSY || depth == 0)
        return result == -ENOENT ? 0 : result;
    CLOSED int directory = sys_openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (directory < 0)
        return directory == -ENOENT ? 0 : directory;
    result = remove_groups_below(directory, depth);
    return result < 0 ? result : sys_unlinkat(at, path, AT_REMOVEDIR);
}

static int remove_groups_below(int directory, int depth)
{
    _Alignas(8) char entries[1024];
    int result = 0;
    long length;
    while ((length = sys_getdents64(directory, entries, sizeof entries)) > 0) {
        for (long at = 0; at < length;) {
            const struct kernel_dirent *entry = (const struct kernel_dirent *)(entries + at);
            at += entry->record_length;
            if (entry->type != 4 /* DT_DIR */ || entry->name[0] == '.')
                continue;
            CLOSED int below =
                sys_openat(directory, entry->name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
            if (below >= 0)
                kill_members(below, "cgroup.procs");
            int removed = remove_group(directory, entry->name, depth - 1);
            if (removed < 0)
                result = removed;
        }
    }
    return result;
}

static unsigned kill_all(struct supervisor *supervisor)
{
    struct fx_reader items = supervisor->start.kill_procs.items;
    struct fx_text path;
    unsigned count = 0;
    while (fx_read_text(&items, &path))
        count += kill_members(AT_FDCWD, path.bytes);
    return count;
}

static bool remove_all(struct supervisor *supervisor)
{
    struct fx_reader items = supervisor->start.remove_directories.items;
    struct fx_text path;
    bool done = true;
    while (fx_read_text(&items, &path))
        if (remove_group(AT_FDCWD, path.bytes, GROUP_DEPTH) == -EBUSY)
            done = false;
    return done;
}

void kill_and_remove(struct supervisor *supervisor)
{
    struct fx_reader items = supervisor->start.kill_files.items;
    struct fx_text path;
    while (fx_read_text(&items, &path)) {
        CLOSED int fd = sys_openat(AT_FDCWD, path.bytes, O_WRONLY | O_CLOEXEC, 0);
        if (fd >= 0)
            sys_write(fd, "1", 1);
    }
    uint32_t pause_us = 200;
    int64_t end = 0;
    for (;;) {
        unsigned alive = kill_all(supervisor);
        bool removed = remove_all(supervisor);
        if (alive == 0 && removed)
            return;
        int64_t now = monotonic_ms();
        if (end == 0)
            end = now + PATIENCE_MS;
        if (now >= end)
            return;
        sys_sleep_microseconds(pause_us);
        pause_us = pause_us < 50000 ? pause_us * 2 : pause_us;
    }
}
