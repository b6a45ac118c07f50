/*
 * Removing and measuring trees that a container has written: any depth, any names, links and mounts in the way.
 * Everything goes by directory descriptors, so that a directory swapped for a link leads nowhere else.
 */
#include "addon.h"

#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>

/* Levels of directories open at once while removing; deeper ones are first moved up to the top of the tree. */
#define OPEN_LEVELS 64
/* Passes over a directory that keeps getting new files while it is emptied. */
#define PASSES 64
/* What may be removed at once when nobody can stop it: names, and bytes of one file. */
#define SHORT_NAMES 128
#define SHORT_BYTES (INT64_C(8) << 20)
/* Levels that are measured: more than a path of PATH_MAX bytes can name. */
#define MEASURED_LEVELS 2048

static int open_below(int parent, const char *name, struct fault *fault)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH,
    };
    for (int attempt = 0; attempt < 32; attempt++) {
        int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
        if (fd >= 0)
            return fd;
        if (errno != EAGAIN)
            break;
    }
    return failed(fault, "openat2");
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

struct removal {
    int top;
    bool moved;
    cancel_flag cancel;
    int names;
    struct fault *fault;
};

/* Whether the removal may go on to this entry. */
static int may_go_on(struct removal *removal, int parent, const char *name, bool directory)
{
    if (cancelled(removal->cancel))
        return failed_with(removal->fault, "unlinkat", ECANCELED);
    if (removal->cancel != NULL)
        return 0;
    struct stat status;
    bool large = !directory && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                              S_ISREG(status.st_mode) && status.st_blocks > SHORT_BYTES / 512;
    return large || removal->names++ == SHORT_NAMES ? failed_with(removal->fault, "unlinkat", EINPROGRESS) : 0;
}

static int remove_entry(struct removal *removal, int parent, const char *name, bool directory, int level);

/* Puts a directory that lies too deep under a new name at the top of the tree, where a later pass finds it. */
static int move_up(struct removal *removal, int parent, const char *name)
{
    static atomic_uint next;
    char fresh[64];
    for (int attempt = 0; attempt < 1000; attempt++) {
        snprintf(fresh, sizeof fresh, ".fx-deep-%d-%u", (int)getpid(), atomic_fetch_add(&next, 1));
        if (renameat2(parent, name, removal->top, fresh, RENAME_NOREPLACE) == 0) {
            removal->moved = true;
            return 0;
        }
        if (errno == ENOENT)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return failed(removal->fault, "renameat2");
}

/* One pass over a directory: the number of entries removed. */
static int remove_children(struct removal *removal, int directory, int level)
{
    int copy = fcntl(directory, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return failed(removal->fault, "fcntl");
    AUTO_DIR dir = fdopendir(copy);
    if (dir == NULL) {
        close(copy);
        return failed(removal->fault, "fdopendir");
    }
    rewinddir(dir);
    int count = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? count : failed(removal->fault, "getdents64");
        if (is_dots(entry->d_name))
            continue;
        bool is_directory = entry->d_type == DT_DIR;
        int result = may_go_on(removal, directory, entry->d_name, is_directory);
        if (result == 0)
            result = remove_entry(removal, directory, entry->d_name, is_directory, level);
        if (result < 0)
            return result;
        if (count < INT_MAX)
            count++;
    }
}

static int remove_directory(struct removal *removal, int parent, const char *name, int level)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST) {
        fault_at(removal->fault, name);
        return failed(removal->fault, "rmdir");
    }
    if (level >= OPEN_LEVELS)
        return move_up(removal, parent, name);
    AUTO_FD fd = open_below(parent, name, removal->fault);
    if (fd < 0) {
        if (fd == -ENOENT)
            return 0;
        fault_at(removal->fault, name);
        return fd == -EXDEV ? failed_with(removal->fault, "openat2", EBUSY) : fd;
    }
    if (destroy_subvolume(parent, name, fd))
        return 0;
    bool top = removal->top < 0;
    if (top)
        removal->top = fd;
    for (int pass = 0;; pass++) {
        removal->moved = false;
        int result = remove_children(removal, fd, level);
        if (result < 0)
            return result;
        if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return 0;
        /* Directories moved up are work of ours, not of a rival: there may be any number of them. */
        if (top && removal->moved)
            pass = 0;
        if ((errno != ENOTEMPTY && errno != EEXIST) || pass >= PASSES) {
            fault_at(removal->fault, name);
            return failed(removal->fault, "rmdir");
        }
    }
}

static int remove_entry(struct removal *removal, int parent, const char *name, bool directory, int level)
{
    if (directory) {
        int result = remove_directory(removal, parent, name, level + 1);
        if (result != -ENOTDIR)
            return result;
    }
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    /* unlink(2) of a directory: EISDIR by Linux, EPERM by POSIX and some file systems. */
    if (!directory && (errno == EISDIR || errno == EPERM)) {
        int error = errno;
        struct stat status;
        if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
            return remove_directory(removal, parent, name, level + 1);
        errno = error;
    }
    fault_at(removal->fault, name);
    return failed(removal->fault, "unlinkat");
}

int remove_tree_at(int parent, const char *name, cancel_flag cancel, struct fault *fault)
{
    struct removal removal = {.top = -1, .cancel = cancel, .fault = fault};
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : failed(fault, "newfstatat");
    int result = may_go_on(&removal, parent, name, S_ISDIR(status.st_mode));
    return result < 0 ? result : remove_entry(&removal, parent, name, S_ISDIR(status.st_mode), 0);
}

int split_path(const char *path, char **directory, char **name, struct fault *fault)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    size_t start = length;
    while (start > 0 && path[start - 1] != '/')
        start--;
    *name = strndup(path + start, length - start);
    *directory = start == 0 ? strdup(".") : strndup(path, start);
    if (*name == NULL || *directory == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    return (*name)[0] == 0 || is_dots(*name) ? failed_with(fault, "unlinkat", EINVAL) : 0;
}

int remove_tree(const char *path, cancel_flag cancel, struct fault *fault)
{
    AUTO_TEXT directory = NULL;
    AUTO_TEXT name = NULL;
    int result = split_path(path, &directory, &name, fault);
    if (result < 0)
        return result;
    AUTO_FD parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return errno == ENOENT ? 0 : failed(fault, "openat");
    return remove_tree_at(parent, name, cancel, fault);
}

struct measure {
    struct inode_map seen;
    uint64_t bytes;
    cancel_flag cancel;
    struct fault *fault;
};

static int measure_file(struct measure *measure, const struct stat *status)
{
    if (status->st_nlink > 1) {
        if (inode_name(&measure->seen, status->st_dev, status->st_ino) != NULL)
            return 0;
        if (!inode_remember(&measure->seen, status->st_dev, status->st_ino, ""))
            return failed_with(measure->fault, "malloc", ENOMEM);
    }
    measure->bytes += (uint64_t)status->st_size;
    return 0;
}

static int measure_directory(struct measure *measure, int parent, const char *name, int level)
{
    if (level > MEASURED_LEVELS)
        return failed_with(measure->fault, "openat2", ENAMETOOLONG);
    int fd = open_below(parent, name, measure->fault);
    /* Another mount is another tree; what vanished meanwhile has no size. */
    if (fd < 0)
        return level > 0 && (fd == -EXDEV || fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) ? 0 : fd;
    AUTO_DIR dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return failed(measure->fault, "fdopendir");
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? 0 : failed(measure->fault, "getdents64");
        if (is_dots(entry->d_name))
            continue;
        if (cancelled(measure->cancel))
            return failed_with(measure->fault, "newfstatat", ECANCELED);
        int result = 0;
        struct stat status;
        if (entry->d_type == DT_DIR) {
            result = measure_directory(measure, fd, entry->d_name, level + 1);
        } else if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN) {
            if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                continue;
            if (S_ISREG(status.st_mode))
                result = measure_file(measure, &status);
            if (S_ISDIR(status.st_mode))
                result = measure_directory(measure, fd, entry->d_name, level + 1);
        }
        if (result < 0)
            return result;
    }
}

int measure_tree(const char *path, cancel_flag cancel, uint64_t *bytes, struct fault *fault)
{
    struct measure measure = {.cancel = cancel, .fault = fault};
    struct stat status;
    if (lstat(path, &status) < 0)
        return failed(fault, "lstat");
    int result = 0;
    if (S_ISREG(status.st_mode)) {
        measure.bytes = (uint64_t)status.st_size;
    } else if (S_ISDIR(status.st_mode)) {
        /* Opened by itself first: a store may well be a mount point or lie behind a link. */
        AUTO_FD top = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        result = top < 0 ? failed(fault, "openat") : measure_directory(&measure, top, ".", 0);
    }
    inode_map_free(&measure.seen);
    *bytes = measure.bytes;
    return result;
}
