/*
 * Copies a directory's content into the new file system that will hide it. Both sides are walked by
 * open directories, no link is followed. Extended attributes are left.
 */
#include "child.h"

/* Levels of directories: two fds each. */
#define COPY_DEPTH 64

static int copy_content(int from, int to, const char *name, const struct statx *status)
{
    CLOSED int source = sys_openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
    if (source < 0)
        return source;
    CLOSED int copy =
        sys_openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (copy < 0)
        return copy;
    for (;;) {
        long moved = sys_sendfile(copy, source, 1 << 20);
        if (moved < 0)
            return (int)moved;
        if (moved == 0)
            break;
    }
    int result = sys_fchownat(copy, "", status->stx_uid, status->stx_gid, AT_EMPTY_PATH);
    return result < 0 ? result : sys_fchmod(copy, status->stx_mode & 07777);
}

static int copy_link(int from, int to, const char *name)
{
    char target[PATH_LIMIT];
    long length = sys_readlinkat(from, name, target, sizeof target - 1);
    if (length < 0)
        return (int)length;
    target[length] = 0;
    return sys_symlinkat(target, to, name);
}

static int copy_directory(int from, int to, int depth);

static int copy_below(int from, int to, const char *name, const struct statx *status, int depth)
{
    int result = sys_mkdirat(to, name, 0700);
    if (result < 0)
        return result;
    CLOSED int source = sys_openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (source < 0)
        return source;
    CLOSED int copy = sys_openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (copy < 0)
        return copy;
    result = copy_directory(source, copy, depth);
    if (result == 0)
        result = sys_fchownat(copy, "", status->stx_uid, status->stx_gid, AT_EMPTY_PATH);
    return result < 0 ? result : sys_fchmod(copy, status->stx_mode & 07777);
}

static int copy_entry(int from, int to, const char *name, int depth)
{
    struct statx status;
    int result = sys_statx(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status);
    if (result < 0)
        return result;
    unsigned type = status.stx_mode & S_IFMT;
    if (type == S_IFDIR)
        result = depth == 0 ? -ELOOP : copy_below(from, to, name, &status, depth - 1);
    else if (type == S_IFREG)
        result = copy_content(from, to, name, &status);
    else if (type == S_IFLNK)
        result = copy_link(from, to, name);
    else
        result = sys_mknodat(to, name, status.stx_mode,
                             (status.stx_rdev_minor & 0xff) | status.stx_rdev_major << 8 |
                                 (status.stx_rdev_minor & ~0xffu) << 12);
    if (result == 0 && type != S_IFDIR && type != S_IFREG)
        result = sys_fchownat(to, name, status.stx_uid, status.stx_gid, AT_SYMLINK_NOFOLLOW);
    if (result < 0)
        return result;
    const struct __kernel_timespec times[2] = {
        { status.stx_atime.tv_sec, status.stx_atime.tv_nsec },
        { status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec }
    };
    return sys_utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_directory(int from, int to, int depth)
{
    _Alignas(8) char entries[2048];
    for (;;) {
        long length = sys_getdents64(from, entries, sizeof entries);
        if (length <= 0)
            return (int)length;
        for (long at = 0; at < length;) {
            const struct kernel_dirent *entry = (const struct kernel_dirent *)(entries + at);
            at += entry->record_length;
            if (text_equal(entry->name, ".") || text_equal(entry->name, ".."))
                continue;
            int result = copy_entry(from, to, entry->name, depth);
            if (result < 0)
                return result;
        }
    }
}

int copy_tree(struct child *child, int from, int to, const char *path)
{
    CLOSED int source = sys_openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    CLOSED int copy = sys_openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int result = source < 0 ? source : copy < 0 ? copy : copy_directory(source, copy, COPY_DEPTH);
    return result < 0 ? failed(&child->failure, result, "copy-up", path) : 0;
}
