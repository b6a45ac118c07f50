/*
 * Copies a whole tree: names that share a file, owners, modes, times, extended attributes, devices, holes. Contents
 * are shared with the original where the file system can. Nobody else changes the copy meanwhile, but the original may
 * be in use: descriptors, no links, no devices opened.
 */
#include "deep.h"

#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

/* Levels of directories. Of OPEN_LEVELS of them two descriptors are open, of those further down none. */
#define LEVELS 1024
#define PATH_BYTES 4096
/* XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h */
#define XATTR_BYTES 65536
/* Bytes that are copied before the next look whether anybody still wants them. */
#define PIECE_BYTES (INT64_C(8) << 20)

struct copying {
    /* The directory that is made: names of files with several names are kept relative to it. */
    int top;
    struct inode_map links;
    /* Why the file system refused to share contents, or to copy them by itself: then it is not asked again. */
    bool cannot_clone, cannot_copy;
    cancel_flag cancel;
    struct fault *fault;
    char path[PATH_BYTES + 1];
    char names[XATTR_BYTES];
    char value[XATTR_BYTES];
    uint8_t piece[1 << 16];
};

static int refused(struct copying *copying, const char *call)
{
    int result = failed(copying->fault, call);
    fault_at(copying->fault, copying->path);
    return result;
}

/* `name` "" is the directory itself. The last component is not followed by the calls that take this path. */
static void path_of(char path[300], int directory, const char *name)
{
    snprintf(path, 300, name[0] == 0 ? "/proc/self/fd/%d/." : "/proc/self/fd/%d/%s", directory, name);
}

static int copy_xattrs(struct copying *copying, int from, int to, const char *name)
{
    char source[300], target[300];
    path_of(source, from, name);
    path_of(target, to, name);
    ssize_t length = llistxattr(source, copying->names, sizeof copying->names);
    if (length < 0)
        return errno == EOPNOTSUPP ? 0 : refused(copying, "llistxattr");
    for (char *one = copying->names; one < copying->names + length; one += strlen(one) + 1) {
        ssize_t size = lgetxattr(source, one, copying->value, sizeof copying->value);
        if (size < 0 && errno == ENODATA)
            continue;
        if (size < 0)
            return refused(copying, "lgetxattr");
        /* A file system that has none is as good as the copy can get on it. */
        if (lsetxattr(target, one, copying->value, (size_t)size, 0) < 0 && errno != EOPNOTSUPP)
            return refused(copying, "lsetxattr");
    }
    return 0;
}

/* Owner first: a change of it takes set-id bits and capabilities away. Times last. */
static int copy_facts(struct copying *copying, int from, int to, const char *name, const struct stat *status)
{
    int empty = name[0] == 0 ? AT_EMPTY_PATH : 0;
    if (fchownat(to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW | empty) < 0)
        return refused(copying, "fchownat");
    if (!S_ISLNK(status->st_mode)) {
        char path[300];
        path_of(path, to, name);
        if (chmod(path, status->st_mode & 07777) < 0)
            return refused(copying, "chmod");
    }
    int result = copy_xattrs(copying, from, to, name);
    if (result < 0)
        return result;
    const struct timespec times[2] = {status->st_atim, status->st_mtim};
    int set = name[0] == 0 ? futimens(to, times) : utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
    return set < 0 ? refused(copying, "utimensat") : 0;
}

/* Whether a call is not there for these files, so that another way must do. */
static bool is_unsupported(int error)
{
    return error == EOPNOTSUPP || error == ENOTTY || error == EXDEV || error == EINVAL || error == ENOSYS || error == EPERM;
}

/* Some bytes of a range without holes, which gets shorter by them. */
static int copy_piece(struct copying *copying, int from, int to, off_t *at, off_t end)
{
    size_t wanted = (size_t)(end - *at < PIECE_BYTES ? end - *at : PIECE_BYTES);
    loff_t source = *at, target = *at;
    if (!copying->cannot_copy) {
        ssize_t count = copy_file_range(from, &source, to, &target, wanted, 0);
        if (count > 0) {
            *at += count;
            return 0;
        }
        if (count < 0 && !is_unsupported(errno))
            return errno == EINTR ? 0 : refused(copying, "copy_file_range");
        copying->cannot_copy = count < 0;
    }
    ssize_t count = pread(from, copying->piece, wanted < sizeof copying->piece ? wanted : sizeof copying->piece, *at);
    if (count < 0)
        return errno == EINTR ? 0 : refused(copying, "pread");
    /* It has become shorter meanwhile. */
    if (count == 0)
        *at = end;
    for (ssize_t done = 0; done < count;) {
        ssize_t written = pwrite(to, copying->piece + done, (size_t)(count - done), *at);
        if (written < 0 && errno != EINTR)
            return refused(copying, "pwrite");
        done += written < 0 ? 0 : written;
        *at += written < 0 ? 0 : written;
    }
    return 0;
}

static int copy_data(struct copying *copying, int from, int to, off_t size)
{
    for (off_t at = 0; at < size;) {
        off_t start = lseek(from, at, SEEK_DATA);
        if (start < 0 && errno == ENXIO)
            break;
        /* Where holes cannot be looked for there are none. */
        off_t end = start < 0 ? size : lseek(from, start, SEEK_HOLE);
        at = start < 0 ? at : start;
        for (end = end < 0 || end > size ? size : end; at < end;) {
            if (cancelled(copying->cancel))
                return failed_with(copying->fault, "copy_file_range", ECANCELED);
            int result = copy_piece(copying, from, to, &at, end);
            if (result < 0)
                return result;
        }
    }
    return ftruncate(to, size) < 0 ? refused(copying, "ftruncate") : 0;
}

static int copy_file(struct copying *copying, int from, int to, const char *name, const struct stat *status)
{
    AUTO_FD source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (source < 0)
        return refused(copying, "openat");
    AUTO_FD target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (target < 0)
        return refused(copying, "openat");
    if (status->st_size == 0)
        return 0;
    if (!copying->cannot_clone) {
        if (ioctl(target, FICLONE, source) == 0)
            return 0;
        if (!is_unsupported(errno))
            return refused(copying, "ioctl");
        copying->cannot_clone = true;
    }
    return copy_data(copying, source, target, status->st_size);
}

static int copy_symlink(struct copying *copying, int from, int to, const char *name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(from, name, target, sizeof target - 1);
    if (length < 0)
        return refused(copying, "readlinkat");
    target[length] = 0;
    return symlinkat(target, to, name) < 0 ? refused(copying, "symlinkat") : 0;
}

/* A directory and its copy; -1 while they are closed. */
struct pair {
    int from, to;
};

static void close_pair(struct pair *pair)
{
    close_fd(&pair->from);
    close_fd(&pair->to);
    pair->from = pair->to = -1;
}

static int copy_directory(struct copying *copying, struct pair *pair, int level, size_t prefix);

/* Copies what is in a directory that lies too deep for those above it to stay open. */
static int copy_deep(struct copying *copying, struct pair *above, struct pair *pair, int level, size_t prefix)
{
    struct stat from, to;
    if (fstat(above->from, &from) < 0 || fstat(above->to, &to) < 0)
        return refused(copying, "fstat");
    close_pair(above);
    int result = copy_directory(copying, pair, level, prefix);
    if (result < 0)
        return result;
    above->from = open_above(pair->from, O_RDONLY, &from, copying->fault);
    above->to = above->from < 0 ? above->from : open_above(pair->to, O_RDONLY, &to, copying->fault);
    if (above->to >= 0)
        return 0;
    fault_at(copying->fault, copying->path);
    return above->to;
}

static int enter_directory(struct copying *copying, struct pair *above, const char *name, const struct stat *status,
                           int level, size_t prefix)
{
    const int from = above->from, to = above->to;
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS
    };
    if (mkdirat(to, name, 0700) < 0)
        return refused(copying, "mkdirat");
    __attribute__((cleanup(close_pair))) struct pair here = {.from = -1, .to = -1};
    here.from = (int)syscall(SYS_openat2, from, name, &how, sizeof how);
    /* What is mounted there is another tree. */
    if (here.from < 0 && errno == EXDEV)
        return copy_facts(copying, from, to, name, status);
    if (here.from < 0)
        return refused(copying, "openat2");
    here.to = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (here.to < 0)
        return refused(copying, "openat");
    return level < OPEN_LEVELS
        ? copy_directory(copying, &here, level + 1, prefix)
        : copy_deep(copying, above, &here, level + 1, prefix);
}

static int copy_entry(struct copying *copying, struct pair *pair, const char *name, int level, size_t prefix)
{
    const int from = pair->from, to = pair->to;
    struct stat status;
    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : refused(copying, "newfstatat");
    if (S_ISDIR(status.st_mode))
        return enter_directory(copying, pair, name, &status, level, prefix);
    if (status.st_nlink > 1) {
        const char *first = inode_name(&copying->links, status.st_dev, status.st_ino);
        if (first != NULL)
            return linkat(copying->top, first, to, name, 0) < 0 ? refused(copying, "linkat") : 0;
    }
    int result = 0;
    if (S_ISREG(status.st_mode))
        result = copy_file(copying, from, to, name, &status);
    else if (S_ISLNK(status.st_mode))
        result = copy_symlink(copying, from, to, name);
    else if (mknodat(to, name, status.st_mode & S_IFMT, status.st_rdev) < 0)
        result = refused(copying, "mknodat");
    if (result == 0)
        result = copy_facts(copying, from, to, name, &status);
    if (result == 0 && status.st_nlink > 1 &&
        !inode_remember(&copying->links, status.st_dev, status.st_ino, copying->path))
        return failed_with(copying->fault, "malloc", ENOMEM);
    return result;
}

/* Makes the path that of an entry of the directory whose path has `prefix` bytes: the bytes of it. */
static int path_below(struct copying *copying, size_t prefix, const char *name)
{
    int length = snprintf(copying->path + prefix, sizeof copying->path - prefix, prefix == 0 ? "%s" : "/%s", name);
    if ((size_t)length < sizeof copying->path - prefix)
        return (int)prefix + length;
    errno = ENAMETOOLONG;
    return refused(copying, "openat");
}

static bool is_directory(int parent, const struct dirent *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(parent, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* Copies all in a directory but the directories, whose names are noted. */
static int copy_files(struct copying *copying, struct pair *pair, int level, size_t prefix, struct names *directories)
{
    int copy = fcntl(pair->from, F_DUPFD_CLOEXEC, 3);
    AUTO_DIR dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        close_fd(&copy);
        return refused(copying, "fdopendir");
    }
    for (;;) {
        if (cancelled(copying->cancel))
            return failed_with(copying->fault, "getdents64", ECANCELED);
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? 0 : refused(copying, "getdents64");
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (is_directory(pair->from, entry)) {
            if (!names_add(directories, name))
                return failed_with(copying->fault, "malloc", ENOMEM);
            continue;
        }
        int result = path_below(copying, prefix, name);
        if (result >= 0)
            result = copy_entry(copying, pair, name, level, (size_t)result);
        if (result < 0)
            return result;
        copying->path[prefix] = 0;
    }
}

/* `prefix`: bytes of the path of this directory. Its own attributes come after what is in it. */
static int copy_directory(struct copying *copying, struct pair *pair, int level, size_t prefix)
{
    struct stat status;
    AUTO_NAMES directories = {0};
    if (level > LEVELS) {
        errno = ENAMETOOLONG;
        return refused(copying, "openat2");
    }
    if (fstat(pair->from, &status) < 0)
        return refused(copying, "fstat");
    int result = copy_files(copying, pair, level, prefix, &directories);
    for (size_t at = 0; result >= 0 && at < directories.length; at += strlen(directories.bytes + at) + 1) {
        result = path_below(copying, prefix, directories.bytes + at);
        if (result >= 0)
            result = copy_entry(copying, pair, directories.bytes + at, level, (size_t)result);
        if (result >= 0)
            copying->path[prefix] = 0;
    }
    return result < 0 ? result : copy_facts(copying, pair->from, pair->to, "", &status);
}

/* Whether the directory, or one that it lies in, is this one. */
static int lies_in(int directory, const struct stat *wanted, struct fault *fault)
{
    struct stat status;
    AUTO_FD at = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (struct stat before = {0};; before = status) {
        if (at < 0 || fstat(at, &status) < 0)
            return failed(fault, "openat");
        if (status.st_dev == wanted->st_dev && status.st_ino == wanted->st_ino)
            return 1;
        if (status.st_dev == before.st_dev && status.st_ino == before.st_ino)
            return 0;
        int above = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = above;
    }
}

int copy_tree(const char *from, const char *to, cancel_flag cancel, struct fault *fault)
{
    struct stat status;
    AUTO_FD source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0 || fstat(source, &status) < 0) {
        fault_at(fault, from);
        return failed(fault, "openat");
    }
    AUTO_TEXT directory = NULL;
    AUTO_TEXT name = NULL;
    int result = split_path(to, &directory, &name, fault);
    if (result < 0)
        return result;
    AUTO_FD parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return failed(fault, "openat");
    result = lies_in(parent, &status, fault);
    if (result != 0)
        return result < 0 ? result : failed_with(fault, "mkdirat", EINVAL);
    if (mkdirat(parent, name, 0700) < 0)
        return failed(fault, "mkdirat");
    AUTO_FD target = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0)
        return failed(fault, "openat");
    struct copying *copying = calloc(1, sizeof *copying);
    if (copying == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    copying->top = target;
    copying->cancel = cancel;
    copying->fault = fault;
    struct pair pair = {.from = source, .to = target};
    result = copy_directory(copying, &pair, 0, 0);
    inode_map_free(&copying->links);
    free(copying);
    return result;
}
