/*
 * Walks a tree for an archive or a listing: depth first, names in the order of their bytes, so that equal trees give equal
 * archives. The tree belongs to a stranger who may change it meanwhile: descriptors, no links, no devices opened.
 */
#include "entry.h"

#include <linux/openat2.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

/* Levels of directories, one descriptor each. */
#define LEVELS 1024
/* Limit of a path in the archive: PATH_MAX, the decoder's too. */
#define PATH_BYTES 4096
/* XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h */
#define XATTR_LIST_BYTES 65536
#define XATTR_VALUE_BYTES 65536
/* Less room than this is not worth a read of file data. */
#define USEFUL_ROOM 8192

struct level {
    int fd;
    char **names;
    size_t count, next;
    /* Length of the path of this directory, with the slash that follows it. */
    size_t prefix;
};

/* What a listing is still to look at, below `root`. */
struct requests {
    int root;
    uint8_t *bytes;
    struct reader rest;
};

struct walk {
    /* O_PATH of what is walked until its entry is written, else -1. */
    int start;
    /* A listing has no data of files, but sockets, and the attributes by which overlayfs marks what it made. */
    bool listing;
    struct requests requests;
    /* Levels of directories that are gone down to. */
    uint32_t reach;
    struct level levels[LEVELS];
    int depth;
    char path[PATH_BYTES + 1];
    /* The file whose data come next, or -1, and the bytes its entry promised. */
    int file;
    uint64_t left;
    struct inode_map links;
    char xattr_names[XATTR_LIST_BYTES];
    char xattr_value[XATTR_VALUE_BYTES];
};

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void level_close(struct level *level)
{
    for (size_t at = 0; at < level->count; at++)
        free(level->names[at]);
    free(level->names);
    close(level->fd);
}

static int level_read(struct level *level, DIR *dir, struct fault *fault)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (level->count == capacity) {
            capacity = capacity == 0 ? 32 : capacity * 2;
            char **grown = realloc(level->names, capacity * sizeof *grown);
            if (grown == NULL)
                return failed_with(fault, "malloc", ENOMEM);
            level->names = grown;
        }
        if ((level->names[level->count] = strdup(entry->d_name)) == NULL)
            return failed_with(fault, "malloc", ENOMEM);
        level->count++;
    }
    if (errno != 0)
        return failed(fault, "getdents64");
    if (level->count > 1)
        qsort(level->names, level->count, sizeof *level->names, compare_names);
    return 0;
}

/* Opens a directory (an O_PATH descriptor) and makes it the level whose names come next. */
static int descend(struct walk *walk, int directory, struct fault *fault)
{
    size_t length = strlen(walk->path);
    if (walk->depth == LEVELS || length >= PATH_BYTES)
        return failed_with(fault, "openat", ENAMETOOLONG);
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(fault, "openat");
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    AUTO_DIR dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        close_fd(&copy);
        close(fd);
        return failed(fault, "fdopendir");
    }
    struct level level = {.fd = fd};
    int result = level_read(&level, dir, fault);
    if (result < 0) {
        level_close(&level);
        return result;
    }
    if (length > 0)
        walk->path[length++] = '/';
    walk->path[length] = 0;
    level.prefix = length;
    walk->levels[walk->depth++] = level;
    return 0;
}

/* File systems that are views of the kernel: archived as the empty directory they are mounted on. linux/magic.h */
static bool is_kernel_view(int directory)
{
    struct statfs status;
    if (fstatfs(directory, &status) < 0)
        return false;
    switch ((unsigned long)status.f_type) {
    case 0x9fa0UL:     /* proc */
    case 0x62656572UL: /* sysfs */
    case 0x27e0ebUL:   /* cgroup */
    case 0x63677270UL: /* cgroup2 */
    case 0x1cd1UL:     /* devpts */
    case 0x19800202UL: /* mqueue */
    case 0x64626720UL: /* debugfs */
    case 0x74726163UL: /* tracefs */
    case 0x73636673UL: /* securityfs */
    case 0xcafe4a11UL: /* bpf */
    case 0x6165676cUL: /* pstore */
    case 0x42494e4dUL: /* binfmt_misc */
    case 0x62656570UL: /* configfs */
    case 0xde5e81e4UL: /* efivarfs */
        return true;
    default:
        return false;
    }
}

/* Attributes that mean something elsewhere too: `trusted.` is the overlay's own, other `security.` this host's. */
static bool is_portable(const char *name)
{
    return strcmp(name, "security.capability") == 0 || strncmp(name, "user.", 5) == 0;
}

static bool is_wanted(const struct walk *walk, const char *name)
{
    if (!walk->listing)
        return is_portable(name);
    return is_layer_xattr(name) || strncmp(name, "trusted.overlay.", 16) == 0 || strncmp(name, "user.overlay.", 13) == 0;
}

/* Writes the number of extended attributes and each. -ENOSPC: no room. */
static int write_xattrs(struct walk *walk, int fd, const struct stat *status, struct writer *writer,
                        struct fault *fault)
{
    uint8_t *place = writer->at;
    if (!write_u32(writer, 0))
        return -ENOSPC;
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
        return 0;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = listxattr(path, walk->xattr_names, sizeof walk->xattr_names);
    if (length < 0)
        return errno == EOPNOTSUPP ? 0 : failed(fault, "listxattr");
    uint32_t count = 0;
    for (char *name = walk->xattr_names; name < walk->xattr_names + length; name += strlen(name) + 1) {
        if (!is_wanted(walk, name))
            continue;
        ssize_t size = getxattr(path, name, walk->xattr_value, sizeof walk->xattr_value);
        if (size < 0 && errno == ENODATA)
            continue;
        if (size < 0)
            return failed(fault, "getxattr");
        if (!write_value(writer, name, strlen(name)) || !write_value(writer, walk->xattr_value, (size_t)size))
            return -ENOSPC;
        count++;
    }
    struct writer counter = {.at = place, .end = place + 4};
    write_u32(&counter, count);
    return 0;
}

static uint32_t entry_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return TYPE_FILE;
    case S_IFDIR: return TYPE_DIR;
    case S_IFLNK: return TYPE_SYMLINK;
    case S_IFCHR: return TYPE_CHAR;
    case S_IFBLK: return TYPE_BLOCK;
    case S_IFIFO: return TYPE_FIFO;
    default: return TYPE_SOCKET;
    }
}

static bool write_status(struct writer *writer, uint32_t type, const struct stat *status)
{
    bool device = type == TYPE_CHAR || type == TYPE_BLOCK;
    return write_u32(writer, RECORD_ENTRY) && write_u32(writer, type) && write_u32(writer, status->st_mode & 07777) &&
           write_u32(writer, status->st_uid) && write_u32(writer, status->st_gid) &&
           write_u32(writer, device ? major(status->st_rdev) : 0) &&
           write_u32(writer, device ? minor(status->st_rdev) : 0) &&
           write_u32(writer, (uint32_t)status->st_mtim.tv_nsec) &&
           write_i64(writer, type == TYPE_FILE ? status->st_size : 0) && write_i64(writer, status->st_mtim.tv_sec);
}

/* Writes the entry of what the O_PATH descriptor stands for, named walk->path. -ENOSPC: no room. */
static int write_entry(struct walk *walk, int fd, const struct stat *status, uint32_t type, struct writer *writer,
                       struct fault *fault)
{
    char target[PATH_MAX] = "";
    const char *link = target;
    if (type == TYPE_SYMLINK) {
        ssize_t length = readlinkat(fd, "", target, sizeof target - 1);
        if (length < 0)
            return failed(fault, "readlinkat");
        target[length] = 0;
    }
    if (type == TYPE_HARDLINK)
        link = inode_name(&walk->links, status->st_dev, status->st_ino);
    if (!write_status(writer, type, status) || !write_value(writer, walk->path, strlen(walk->path)) ||
            !write_value(writer, link, strlen(link)))
        return -ENOSPC;
    if (type == TYPE_HARDLINK)
        return write_u32(writer, 0) ? 0 : -ENOSPC;
    return write_xattrs(walk, fd, status, writer, fault);
}

/* Writes one entry and makes its data or names what comes next. -ENOSPC: no room, nothing has happened. */
static int visit(struct walk *walk, int fd, struct writer *writer, struct fault *fault)
{
    struct stat status;
    if (fstatat(fd, "", &status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    uint32_t type = entry_type(status.st_mode);
    /* It means nothing without the process that listens. */
    if (type == TYPE_SOCKET && !walk->listing)
        return 0;
    bool shared = type != TYPE_DIR && status.st_nlink > 1;
    if (shared && inode_name(&walk->links, status.st_dev, status.st_ino) != NULL)
        type = TYPE_HARDLINK;
    struct writer tentative = *writer;
    bool unnamed = walk->path[0] == 0 && !walk->listing;
    int result = unnamed ? 0 : write_entry(walk, fd, &status, type, &tentative, fault);
    if (result < 0)
        return result;
    if (type == TYPE_DIR && (uint32_t)walk->depth < walk->reach && !is_kernel_view(fd))
        result = descend(walk, fd, fault);
    if (type == TYPE_FILE && status.st_size > 0 && !walk->listing) {
        result = walk->file = reopen(fd, O_RDONLY | O_NONBLOCK | O_NOCTTY, fault);
        walk->left = (uint64_t)status.st_size;
    }
    if (result < 0)
        return result;
    if (shared && !inode_remember(&walk->links, status.st_dev, status.st_ino, walk->path))
        return failed_with(fault, "malloc", ENOMEM);
    *writer = tentative;
    return 0;
}

/* One piece of the open file's data. What it lost since its entry was written is made up with zeros. */
static int write_data(struct walk *walk, struct writer *writer, struct fault *fault)
{
    /* Around the data: kind, length, the NUL. */
    const size_t around = 4 + 4 + 1;
    size_t room = (size_t)(writer->end - writer->at) - around;
    size_t length = walk->left < room ? (size_t)walk->left : room;
    uint8_t *place = writer->at + 8;
    ssize_t count;
    do count = read(walk->file, place, length);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return failed(fault, "read");
    if (count == 0)
        memset(place, 0, length);
    else length = (size_t)count;
    write_u32(writer, RECORD_DATA);
    write_u32(writer, (uint32_t)length);
    writer->at += length;
    *writer->at++ = 0;
    walk->left -= length;
    if (walk->left == 0) {
        close(walk->file);
        walk->file = -1;
    }
    return 0;
}

/* The next name of the innermost level. -ENOSPC: no room, ask again for the same. */
static int next_entry(struct walk *walk, struct writer *writer, struct fault *fault)
{
    struct level *level = &walk->levels[walk->depth - 1];
    walk->path[level->prefix] = 0;
    if (level->next == level->count) {
        level_close(level);
        walk->depth--;
        return 0;
    }
    const char *name = level->names[level->next];
    size_t length = strlen(name);
    if (level->prefix + length > PATH_BYTES)
        return failed_with(fault, "openat", ENAMETOOLONG);
    memcpy(walk->path + level->prefix, name, length + 1);
    AUTO_FD fd = openat(level->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int result = fd < 0 ? (errno == ENOENT ? 0 : failed(fault, "openat")) : visit(walk, fd, writer, fault);
    if (result == 0)
        level->next++;
    return result;
}

int walk_open(int root, const char *path, const char *name, bool follow, struct walk **walk, struct fault *fault)
{
    AUTO_FD owned = root;
    AUTO_FD start = open_in_root(owned, path, O_PATH | (follow ? 0 : O_NOFOLLOW), RESOLVE_IN_ROOT, fault);
    if (start < 0)
        return start;
    struct stat status;
    if (fstatat(start, "", &status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    if (S_ISSOCK(status.st_mode) || (name[0] == 0 && !S_ISDIR(status.st_mode)))
        return failed_with(fault, "read", EINVAL);
    if (strlen(name) > PATH_BYTES)
        return failed_with(fault, "openat", ENAMETOOLONG);
    struct walk *made = calloc(1, sizeof *made);
    if (made == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    made->file = -1;
    made->requests.root = -1;
    made->reach = UINT32_MAX;
    made->start = start;
    start = -1;
    strcpy(made->path, name);
    *walk = made;
    return 0;
}

int list_open(int root, const uint8_t *bytes, size_t length, struct walk **walk, struct fault *fault)
{
    AUTO_FD owned = root;
    struct walk *made = calloc(1, sizeof *made);
    uint8_t *copy = malloc(length == 0 ? 1 : length);
    if (made == NULL || copy == NULL) {
        free(made);
        free(copy);
        return failed_with(fault, "malloc", ENOMEM);
    }
    memcpy(copy, bytes, length);
    made->listing = true;
    made->file = made->start = -1;
    made->requests = (struct requests){
        .root = owned, .bytes = copy, .rest = {.at = copy, .end = copy + length}
    };
    owned = -1;
    *walk = made;
    return 0;
}

/* Opens what the next request is about; one that may be missing is passed over then. */
static int next_request(struct walk *walk, struct fault *fault)
{
    struct reader *rest = &walk->requests.rest;
    uint32_t optional;
    const char *path, *name;
    if (!read_u32(rest, &walk->reach) || !read_u32(rest, &optional) || !read_text(rest, &path) ||
        !read_text(rest, &name))
        return failed_with(fault, "listing", EBADMSG);
    walk->path[0] = 0;
    if (strlen(name) > PATH_BYTES)
        return optional ? 0 : failed_with(fault, "openat2", ENAMETOOLONG);
    strcpy(walk->path, name);
    uint64_t how = optional ? O_PATH | O_NOFOLLOW : O_PATH | O_DIRECTORY;
    uint64_t resolve = optional ? RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS : RESOLVE_IN_ROOT;
    int start = open_in_root(walk->requests.root, path, how, resolve, fault);
    if (optional && (start == -ENOENT || start == -ENOTDIR || start == -ELOOP || start == -ENAMETOOLONG))
        return 0;
    walk->start = start < 0 ? -1 : start;
    return start < 0 ? start : 0;
}

static bool has_requests(const struct walk *walk)
{
    return walk->requests.rest.at < walk->requests.rest.end;
}

static int walk_step(struct walk *walk, struct writer *writer, struct fault *fault)
{
    if (walk->file >= 0)
        return write_data(walk, writer, fault);
    if (walk->start < 0 && walk->depth > 0)
        return next_entry(walk, writer, fault);
    if (walk->start < 0)
        return next_request(walk, fault);
    int result = visit(walk, walk->start, writer, fault);
    if (result == 0) {
        close(walk->start);
        walk->start = -1;
    }
    return result;
}

static bool has_ended(const struct walk *walk)
{
    return walk->file < 0 && walk->start < 0 && walk->depth == 0 && !has_requests(walk);
}

int walk_next(struct walk *walk, uint8_t *bytes, size_t length, cancel_flag cancel, struct fault *fault)
{
    if (length > INT_MAX)
        length = INT_MAX;
    struct writer writer = {.at = bytes, .end = bytes + length};
    while (!has_ended(walk)) {
        if (cancelled(cancel))
            return failed_with(fault, "read", ECANCELED);
        if (walk->file >= 0 && (size_t)(writer.end - writer.at) < USEFUL_ROOM)
            break;
        int result = walk_step(walk, &writer, fault);
        if (result == -ENOSPC)
            break;
        if (result < 0) {
            fault_at(fault, walk->path);
            return result;
        }
    }
    if (writer.at > bytes || has_ended(walk))
        return (int)(writer.at - bytes);
    /* Not even one record had room. */
    fault_at(fault, walk->path);
    return failed_with(fault, "listxattr", E2BIG);
}

void walk_close(struct walk *walk)
{
    close_fd(&walk->file);
    close_fd(&walk->start);
    while (walk->depth > 0)
        level_close(&walk->levels[--walk->depth]);
    inode_map_free(&walk->links);
    close_fd(&walk->requests.root);
    free(walk->requests.bytes);
    free(walk);
}
