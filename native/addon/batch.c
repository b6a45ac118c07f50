/*
 * Simple operations on files and control groups, many in one call. Format of a batch, per operation: u32 code,
 * u32 mode, the texts its row below names (u32 length, bytes, NUL). The first failure ends the batch.
 */
#include "addon.h"

#include <stdatomic.h>
#include <stdio.h>

enum code {
    DIR_MAKE = 1,     /* path */
    DIR_ENSURE = 2,   /* path */
    FILE_WRITE = 3,   /* path, value */
    FILE_REMOVE = 4,  /* path */
    TREE_REMOVE = 5,  /* path */
    CGROUP_MAKE = 6,  /* directory */
    CGROUP_ENSURE = 7,/* directory */
    CGROUP_WRITE = 8, /* directory, file, value */
    CGROUP_REMOVE = 9,/* directory */
    DIR_ENSURE_LIKE = 10 /* path, like */
};

#define PERMISSIONS 07777

/* mkdir(2) takes the umask away from the mode: gives it back where that made a difference. */
static int make_directory(const char *path, mode_t mode, struct fault *fault)
{
    if (mkdir(path, mode) < 0)
        return failed(fault, "mkdir");
    struct stat status;
    if (lstat(path, &status) < 0 || (status.st_mode & PERMISSIONS) == (mode & PERMISSIONS))
        return 0;
    return chmod(path, mode & PERMISSIONS) < 0 ? failed(fault, "chmod") : 0;
}

static int check_directory(const char *path, struct fault *fault)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return failed(fault, "stat");
    return S_ISDIR(status.st_mode) ? 0 : failed_with(fault, "mkdir", EEXIST);
}

int make_directories(const char *path, mode_t mode, struct fault *fault)
{
    int result = make_directory(path, mode, fault);
    if (result == -EEXIST)
        return check_directory(path, fault);
    if (result != -ENOENT)
        return result;
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    while (length > 0 && path[length - 1] == '/')
        length--;
    if (length == 0)
        return result;
    AUTO_TEXT parent = strndup(path, length);
    if (parent == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    int above = make_directories(parent, mode, fault);
    if (above < 0)
        return above;
    result = make_directory(path, mode, fault);
    return result == -EEXIST ? check_directory(path, fault) : result;
}

static int write_all(int fd, const uint8_t *bytes, size_t length, struct fault *fault)
{
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed(fault, "write");
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}

static int fill_file(const char *path, mode_t mode, const uint8_t *bytes, size_t length, struct fault *fault)
{
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & PERMISSIONS);
    if (fd < 0)
        return failed(fault, "openat");
    struct stat status;
    mode &= PERMISSIONS;
    if (fstat(fd, &status) == 0 && (status.st_mode & PERMISSIONS) != mode && fchmod(fd, mode) < 0)
        return failed(fault, "fchmod");
    return write_all(fd, bytes, length, fault);
}

/* Writes beside the file and renames over it: a reader sees the old or the new whole. */
static int replace_file(const char *path, mode_t mode, const uint8_t *bytes, size_t length, struct fault *fault)
{
    static atomic_uint next;
    const char *slash = strrchr(path, '/');
    int directory = slash == NULL ? 0 : (int)(slash - path + 1);
    char beside[PATH_MAX];
    for (int attempt = 0;; attempt++) {
        int size = snprintf(beside, sizeof beside, "%.*s.fx-new-%d-%u", directory, path, (int)getpid(),
                            atomic_fetch_add(&next, 1));
        if (size < 0 || (size_t)size >= sizeof beside)
            return failed_with(fault, "openat", ENAMETOOLONG);
        int result = fill_file(beside, mode, bytes, length, fault);
        /* One of these was left by a process of the same pid that died. */
        if (result == -EEXIST && attempt < 1000)
            continue;
        if (result == 0 && rename(beside, path) < 0)
            result = failed(fault, "rename");
        if (result < 0 && result != -EEXIST)
            unlink(beside);
        return result;
    }
}

static int write_cgroup(const char *directory, const char *file, const uint8_t *bytes, size_t length,
                        struct fault *fault)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/%s", directory, file);
    if (size < 0 || (size_t)size >= sizeof path)
        return failed_with(fault, "openat", ENAMETOOLONG);
    if (strchr(file, '/') != NULL || file[0] == 0)
        return failed_with(fault, "openat", EINVAL);
    AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return failed(fault, "openat");
    /* A write of no bytes never reaches the control group: an empty value is an empty line. */
    ssize_t count = length == 0 ? write(fd, "\n", 1) : write(fd, bytes, length);
    return count < 0 ? failed(fault, "write") : 0;
}

static int run_one(struct reader *reader, cancel_flag cancel, struct fault *fault)
{
    uint32_t code, mode, length;
    const char *path, *file;
    const uint8_t *value;
    if (!read_u32(reader, &code) || !read_u32(reader, &mode))
        return failed_with(fault, "batch", EBADMSG);
    if (!read_text(reader, &path))
        return failed_with(fault, "batch", EINVAL);
    switch (code) {
    case DIR_MAKE:
        return make_directory(path, mode, fault);
    case DIR_ENSURE:
        return make_directories(path, mode, fault);
    case FILE_WRITE:
        if (!read_value(reader, &value, &length))
            return failed_with(fault, "batch", EBADMSG);
        return replace_file(path, mode, value, length, fault);
    case FILE_REMOVE:
        return unlink(path) < 0 && errno != ENOENT ? failed(fault, "unlink") : 0;
    case TREE_REMOVE:
        return remove_tree(path, cancel, fault);
    case CGROUP_MAKE:
        return mkdir(path, mode) < 0 ? failed(fault, "mkdir") : 0;
    case CGROUP_ENSURE:
        return make_directories(path, mode, fault);
    case CGROUP_WRITE:
        if (!read_text(reader, &file))
            return failed_with(fault, "batch", EINVAL);
        if (!read_value(reader, &value, &length))
            return failed_with(fault, "batch", EBADMSG);
        return write_cgroup(path, file, value, length, fault);
    case CGROUP_REMOVE:
        return remove_cgroup(path, fault);
    case DIR_ENSURE_LIKE:
        return read_text(reader, &file) ? ensure_like(path, file, fault) : failed_with(fault, "batch", EINVAL);
    default:
        return failed_with(fault, "batch", EBADMSG);
    }
}

int run_batch(const uint8_t *bytes, size_t length, cancel_flag cancel, struct fault *fault)
{
    struct reader reader = {.at = bytes, .end = bytes + length};
    for (uint32_t index = 0; reader.at < reader.end; index++) {
        fault->index = index;
        if (cancelled(cancel))
            return failed_with(fault, "batch", ECANCELED);
        int result = run_one(&reader, cancel, fault);
        if (result < 0)
            return result;
    }
    return 0;
}
