/*
 * Copies a directory's content into the new file system that will hide it: owners, modes, times,
 * extended attributes, links. Both sides are walked by open directories, no symbolic link is
 * followed.
 */
#include "child.h"

/* Levels of directories: two fds each. */
#define COPY_DEPTH 64

/* Files with several names that are remembered; those beyond are copied once for each name. */
#define LINK_COUNT 256

/* Room for their paths. */
#define LINK_PATHS 16384

struct copy {
    /* The copy's root, and where the walk is below it: "a/b/". */
    int root;
    struct buffer place;
    struct link {
        uint64_t inode;
        uint32_t major, minor;
        const char *path;
    } links[LINK_COUNT];
    unsigned link_count;
    struct buffer paths;
    char place_bytes[PATH_LIMIT];
    char path_bytes[LINK_PATHS];
};

static int copy_status(int copy, const struct statx *status, int source)
{
    int result = sys_fchownat(copy, "", status->stx_uid, status->stx_gid, AT_EMPTY_PATH);
    if (result == 0)
        result = sys_fchmod(copy, status->stx_mode & 07777);
    /* A change of the owner takes capabilities away, so they come last. */
    return result < 0 ? result : copy_attributes(source, copy);
}

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
    return copy_status(copy, status, source);
}

/* The path in the copy that has the file already, or NULL. */
static const char *find_link(const struct copy *walk, const struct statx *status)
{
    for (const struct link *link = walk->links; link < walk->links + walk->link_count; link++)
        if (link->inode == status->stx_ino && link->major == status->stx_dev_major &&
            link->minor == status->stx_dev_minor)
            return link->path;
    return NULL;
}

static void remember_link(struct copy *walk, const char *name, const struct statx *status)
{
    struct buffer *paths = &walk->paths;
    const char *path = paths->bytes + paths->length;
    if (walk->link_count == LINK_COUNT || paths->full)
        return;
    put_bytes(paths, walk->place.bytes, walk->place.length);
    put_bytes(paths, name, strlen(name) + 1);
    if (!paths->full)
        walk->links[walk->link_count++] = (struct link){ status->stx_ino, status->stx_dev_major,
                                                         status->stx_dev_minor, path };
}

static int copy_file(struct copy *walk, int from, int to, const char *name,
                     const struct statx *status)
{
    if (status->stx_nlink < 2)
        return copy_content(from, to, name, status);
    const char *path = find_link(walk, status);
    if (path != NULL)
        return sys_linkat(walk->root, path, to, name);
    int result = copy_content(from, to, name, status);
    if (result == 0)
        remember_link(walk, name, status);
    return result;
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

static int copy_directory(struct copy *walk, int from, int to, int depth);

static int copy_below(struct copy *walk, int from, int to, const char *name,
                      const struct statx *status, int depth)
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
    size_t outside = walk->place.length;
    put_text(&walk->place, name);
    put_byte(&walk->place, '/');
    if (walk->place.full)
        return -ENAMETOOLONG;
    result = copy_directory(walk, source, copy, depth);
    walk->place.length = outside;
    return result < 0 ? result : copy_status(copy, status, source);
}

static int copy_times(int to, const char *name, const struct statx *status)
{
    const struct __kernel_timespec times[2] = {
        { status->stx_atime.tv_sec, status->stx_atime.tv_nsec },
        { status->stx_mtime.tv_sec, status->stx_mtime.tv_nsec }
    };
    return sys_utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_entry(struct copy *walk, int from, int to, const char *name, int depth)
{
    struct statx status;
    int result = sys_statx(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status);
    if (result < 0)
        return result;
    unsigned type = status.stx_mode & S_IFMT;
    if (type == S_IFDIR)
        result = depth == 0 ? -ELOOP : copy_below(walk, from, to, name, &status, depth - 1);
    else if (type == S_IFREG)
        result = copy_file(walk, from, to, name, &status);
    else if (type == S_IFLNK)
        result = copy_link(from, to, name);
    else
        result = sys_mknodat(to, name, status.stx_mode,
                             (status.stx_rdev_minor & 0xff) | status.stx_rdev_major << 8 |
                                 (status.stx_rdev_minor & ~0xffu) << 12);
    if (result == 0 && type != S_IFDIR && type != S_IFREG)
        result = sys_fchownat(to, name, status.stx_uid, status.stx_gid, AT_SYMLINK_NOFOLLOW);
    return result < 0 ? result : copy_times(to, name, &status);
}

static int copy_directory(struct copy *walk, int from, int to, int depth)
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
            int result = copy_entry(walk, from, to, entry->name, depth);
            if (result < 0)
                return result;
        }
    }
}

int copy_tree(struct child *child, int from, int to, const struct statx *status, const char *path)
{
    static struct copy walk;
    CLOSED int source = sys_openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    CLOSED int copy = sys_openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    walk.root = copy;
    walk.link_count = 0;
    walk.place = (struct buffer){ walk.place_bytes, 0, sizeof walk.place_bytes, false };
    walk.paths = (struct buffer){ walk.path_bytes, 0, sizeof walk.path_bytes, false };
    int result = source < 0 ? source : copy;
    if (result >= 0)
        result = copy_directory(&walk, source, copy, COPY_DEPTH);
    if (result == 0)
        result = copy_attributes(source, copy);
    if (result == 0)
        result = copy_times(copy, ".", status);
    return result < 0 ? failed(&child->failure, result, "copy-up", path) : 0;
}
