/* Root file systems from outside: a live one through its process, or a detached mount. Their paths are a stranger's. */
#include "addon.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/vfs.h>

int open_in_root(int root, const char *path, uint64_t flags, uint64_t resolve, struct fault *fault)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .resolve = resolve | RESOLVE_NO_MAGICLINKS,
    };
    if (path[0] == 0)
        path = ".";
    /* EAGAIN: something was renamed while ".." was resolved, and it can't be said that we stayed inside. */
    for (int attempt = 0; attempt < 128; attempt++) {
        int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0)
            return fd;
        if (errno != EAGAIN)
            break;
    }
    return failed(fault, "openat2");
}

int reopen(int fd, int flags, struct fault *fault)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int fresh = open(path, flags | O_CLOEXEC);
    return fresh < 0 ? failed(fault, "openat") : fresh;
}

int open_process_root(int pid, uint64_t start, struct fault *fault)
{
    AUTO_FD process = open_process(pid, start, fault);
    if (process < 0)
        return process;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/root", pid);
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return failed_with(fault, "openat", errno == ENOENT ? ESRCH : errno);
    /* Still alive means that the pid was its own all the time, so that this is its root. */
    if (syscall(SYS_pidfd_send_signal, process, 0, NULL, 0) == 0)
        return root;
    int error = errno;
    close(root);
    return failed_with(fault, "pidfd_send_signal", error);
}

/* What the file system context has to say about a refused option: lines of "e text". */
static void read_log(int context, struct fault *fault)
{
    ssize_t length = read(context, fault->detail, sizeof fault->detail - 1);
    if (length <= 0)
        length = 0;
    fault->detail[length] = 0;
    char *newline = strchr(fault->detail, '\n');
    if (newline != NULL)
        *newline = 0;
}

static int configure(int context, unsigned command, const char *key, const char *value, struct fault *fault)
{
    if (syscall(SYS_fsconfig, context, command, key, value, 0) == 0)
        return 0;
    int error = errno;
    read_log(context, fault);
    if (value != NULL)
        fault_at(fault, value);
    return failed_with(fault, "fsconfig", error);
}

#define SAFE_ATTRIBUTES (MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

/* overlayfs wants two layers when it has no upper: one alone is seen by a copy of its mount. */
static int clone_layer(const char *path, struct fault *fault)
{
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0)
        return failed(fault, "open_tree");
    struct mount_attr attributes = {.attr_set = SAFE_ATTRIBUTES | MOUNT_ATTR_RDONLY};
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0)
        return tree;
    int error = errno;
    close(tree);
    return failed_with(fault, "mount_setattr", error);
}

int mount_layers(const char *const *lower, uint32_t count, const char *upper, const char *work, struct fault *fault)
{
    if (count == 1 && upper[0] == 0)
        return clone_layer(lower[0], fault);
    AUTO_FD context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    if (context < 0)
        return failed(fault, "fsopen");
    int result = 0;
    for (uint32_t at = 0; at < count && result == 0; at++)
        result = configure(context, FSCONFIG_SET_STRING, "lowerdir+", lower[at], fault);
    if (upper[0] != 0 && result == 0)
        result = clear_volatile(work, fault);
    if (upper[0] != 0 && result == 0)
        result = configure(context, FSCONFIG_SET_STRING, "upperdir", upper, fault);
    if (upper[0] != 0 && result == 0)
        result = configure(context, FSCONFIG_SET_STRING, "workdir", work, fault);
    /* Or the unmount would write back the whole file system that holds the upper directory. */
    if (upper[0] != 0 && result == 0)
        result = configure(context, FSCONFIG_SET_FLAG, "volatile", NULL, fault);
    if (result == 0)
        result = configure(context, FSCONFIG_CMD_CREATE, NULL, NULL, fault);
    if (result < 0)
        return result;
    unsigned attributes = SAFE_ATTRIBUTES | (upper[0] == 0 ? MOUNT_ATTR_RDONLY : 0);
    int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
    return mount < 0 ? failed(fault, "fsmount") : mount;
}

int clear_volatile(const char *work, struct fault *fault)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/work/incompat/volatile", work);
    if (size < 0 || (size_t)size >= sizeof path)
        return failed_with(fault, "openat", ENAMETOOLONG);
    return remove_tree(path, NULL, fault);
}

static int read_to_limit(int fd, uint32_t limit, uint8_t **bytes, size_t *length, struct fault *fault)
{
    size_t capacity = limit < 4096 ? (size_t)limit + 1 : 4096;
    uint8_t *buffer = malloc(capacity);
    size_t used = 0;
    int result = buffer == NULL ? failed_with(fault, "malloc", ENOMEM) : 0;
    while (result == 0) {
        if (used == capacity) {
            capacity = capacity * 2 > (size_t)limit + 1 ? (size_t)limit + 1 : capacity * 2;
            uint8_t *grown = realloc(buffer, capacity);
            if (grown == NULL) {
                result = failed_with(fault, "malloc", ENOMEM);
                break;
            }
            buffer = grown;
        }
        ssize_t count = read(fd, buffer + used, capacity - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            result = failed(fault, "read");
        if (count <= 0)
            break;
        used += (size_t)count;
        if (used > limit)
            result = failed_with(fault, "read", EFBIG);
    }
    if (result < 0) {
        free(buffer);
        return result;
    }
    *bytes = buffer;
    *length = used;
    return 0;
}

/* Of what was opened by O_PATH. A FIFO would hold us up, and opening a device can set it off. */
static int refuse_irregular(int found, struct fault *fault)
{
    struct stat status;
    if (fstat(found, &status) < 0)
        return failed(fault, "fstat");
    if (S_ISDIR(status.st_mode))
        return failed_with(fault, "read", EISDIR);
    return S_ISREG(status.st_mode) ? 0 : failed_with(fault, "read", EINVAL);
}

int read_in_root(int root, const char *path, uint32_t limit, uint8_t **bytes, size_t *length, struct fault *fault)
{
    AUTO_FD found = open_in_root(root, path, O_PATH, RESOLVE_IN_ROOT, fault);
    if (found < 0)
        return found;
    int refused = refuse_irregular(found, fault);
    if (refused < 0)
        return refused;
    /* Nor is a link to lead to what reading takes away from others, as of /proc/kmsg. */
    struct statfs where;
    if (fstatfs(found, &where) < 0)
        return failed(fault, "fstatfs");
    if (where.f_type == PROC_SUPER_MAGIC)
        return failed_with(fault, "read", EINVAL);
    AUTO_FD fd = reopen(found, O_RDONLY | O_NONBLOCK | O_NOCTTY, fault);
    return fd < 0 ? fd : read_to_limit(fd, limit, bytes, length, fault);
}

/* A regular file by a path without links. */
static int open_regular(int root, const char *path, struct fault *fault)
{
    AUTO_FD found = open_in_root(root, path, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, fault);
    if (found < 0)
        return found;
    int refused = refuse_irregular(found, fault);
    if (refused < 0)
        return refused;
    return reopen(found, O_RDONLY | O_NONBLOCK | O_NOCTTY, fault);
}

static int read_piece(int fd, int64_t offset, uint32_t length, struct writer *bytes, struct fault *fault)
{
    if ((size_t)(bytes->end - bytes->at) < length)
        return failed_with(fault, "pread", EINVAL);
    while (length > 0) {
        ssize_t count = pread(fd, bytes->at, length, offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return failed_with(fault, "pread", count < 0 ? errno : EIO);
        bytes->at += count;
        offset += count;
        length -= (uint32_t)count;
    }
    return 0;
}

int read_pieces(int root, struct reader pieces, struct writer bytes, cancel_flag cancel, struct fault *fault)
{
    AUTO_FD fd = -1;
    const char *open = NULL;
    while (pieces.at < pieces.end) {
        int64_t offset;
        uint32_t length;
        const char *path;
        if (!read_i64(&pieces, &offset) || !read_u32(&pieces, &length) || !read_text(&pieces, &path))
            return failed_with(fault, "pread", EBADMSG);
        if (cancelled(cancel))
            return failed_with(fault, "pread", ECANCELED);
        fault_at(fault, path);
        if (open == NULL || strcmp(open, path) != 0) {
            close_fd(&fd);
            fd = open_regular(root, path, fault);
            open = path;
        }
        int result = fd < 0 ? fd : read_piece(fd, offset, length, &bytes, fault);
        if (result < 0)
            return result;
    }
    return 0;
}

int stat_in_root(int root, const char *path, bool follow, struct stat *status, char *target, struct fault *fault)
{
    AUTO_FD found = open_in_root(root, path, O_PATH | (follow ? 0 : O_NOFOLLOW), RESOLVE_IN_ROOT, fault);
    if (found < 0)
        return found;
    if (fstatat(found, "", status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    target[0] = 0;
    if (!S_ISLNK(status->st_mode))
        return 0;
    ssize_t length = readlinkat(found, "", target, PATH_MAX - 1);
    if (length < 0)
        return failed(fault, "readlinkat");
    target[length] = 0;
    return 0;
}
