/* Files as entries of archives say: made by one call each, then given owner, mode, attributes and time, in this order. */
#include "entry.h"

#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

bool read_facts(struct reader *reader, struct facts *facts)
{
    return read_u32(reader, &facts->type) && read_u32(reader, &facts->mode) && read_u32(reader, &facts->uid) &&
           read_u32(reader, &facts->gid) && read_u32(reader, &facts->major) && read_u32(reader, &facts->minor) &&
           read_u32(reader, &facts->nanoseconds) && read_i64(reader, &facts->size) &&
           read_i64(reader, &facts->seconds) && read_text(reader, &facts->path) && read_text(reader, &facts->link);
}

bool skip_xattrs(struct reader *reader)
{
    uint32_t count, size;
    const uint8_t *bytes;
    if (!read_u32(reader, &count))
        return false;
    for (; count > 0; count--)
        if (!read_value(reader, &bytes, &size) || !read_value(reader, &bytes, &size))
            return false;
    return true;
}

bool is_layer_xattr(const char *name)
{
    return strcmp(name, "security.capability") == 0 || strcmp(name, "system.posix_acl_access") == 0 ||
           strcmp(name, "system.posix_acl_default") == 0 ||
           (strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0);
}

static bool is_among(struct reader xattrs, const char *wanted)
{
    uint32_t count = 0, size;
    const char *name;
    const uint8_t *value;
    read_u32(&xattrs, &count);
    for (; count > 0 && read_text(&xattrs, &name) && read_value(&xattrs, &value, &size); count--)
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

int drop_xattrs(int fd, struct reader wanted, struct fault *fault)
{
    ssize_t room = flistxattr(fd, NULL, 0);
    if (room <= 0)
        return room == 0 || errno == EOPNOTSUPP ? 0 : failed(fault, "flistxattr");
    AUTO_TEXT names = malloc((size_t)room);
    if (names == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    ssize_t length = flistxattr(fd, names, (size_t)room);
    if (length < 0)
        return failed(fault, "flistxattr");
    for (const char *name = names; name < names + length; name += strlen(name) + 1)
        if (is_layer_xattr(name) && !is_among(wanted, name) && fremovexattr(fd, name) < 0 && errno != ENODATA)
            return failed(fault, "fremovexattr");
    return 0;
}

/* A file system that has none is as good as the archive can get on it. */
static int keep_xattrs(int fd, struct reader xattrs, struct fault *fault)
{
    uint32_t count = 0, size;
    const char *name;
    const uint8_t *value;
    read_u32(&xattrs, &count);
    for (; count > 0; count--) {
        if (!read_text(&xattrs, &name) || !read_value(&xattrs, &value, &size))
            return failed_with(fault, "unpack", EBADMSG);
        if (fsetxattr(fd, name, value, size, 0) < 0 && errno != EOPNOTSUPP)
            return failed(fault, "fsetxattr");
    }
    return 0;
}

static int copy_xattr(int from, int to, const char *name, uint8_t *value, struct fault *fault)
{
    ssize_t size = fgetxattr(from, name, value, XATTR_SIZE_MAX);
    if (size < 0)
        return errno == ENODATA ? 0 : failed(fault, "fgetxattr");
    return fsetxattr(to, name, value, (size_t)size, 0) < 0 && errno != EOPNOTSUPP ? failed(fault, "fsetxattr") : 0;
}

int copy_layer_xattrs(int from, int to, struct fault *fault)
{
    ssize_t room = flistxattr(from, NULL, 0);
    if (room <= 0)
        return room == 0 || errno == EOPNOTSUPP ? 0 : failed(fault, "flistxattr");
    AUTO_TEXT names = malloc((size_t)room);
    AUTO_TEXT value = malloc(XATTR_SIZE_MAX);
    if (names == NULL || value == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    ssize_t length = flistxattr(from, names, (size_t)room);
    if (length < 0)
        return failed(fault, "flistxattr");
    int result = 0;
    for (const char *name = names; name < names + length && result == 0; name += strlen(name) + 1)
        if (is_layer_xattr(name))
            result = copy_xattr(from, to, name, (uint8_t *)value, fault);
    return result;
}

/* Device nodes and FIFOs are open as O_PATH only, which fchmod(2) does not take. */
int keep_mode(int fd, uint32_t mode, struct fault *fault)
{
    char path[64];
    if (fchmod(fd, mode) == 0)
        return 0;
    if (errno != EBADF)
        return failed(fault, "fchmod");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return chmod(path, mode) < 0 ? failed(fault, "chmod") : 0;
}

int keep_times(int fd, int64_t seconds, uint32_t nanoseconds, struct fault *fault)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = nanoseconds}};
    return utimensat(fd, "", times, AT_EMPTY_PATH) < 0 ? failed(fault, "utimensat") : 0;
}

/* Owner first: a change of it takes set-id bits and capabilities away. What is right already is left alone. */
int keep_facts(int fd, const struct facts *facts, struct reader xattrs, bool fresh, struct fault *fault)
{
    struct stat status;
    if (fstatat(fd, "", &status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    bool plain = facts->type == TYPE_FILE || facts->type == TYPE_DIR;
    bool owned = status.st_uid == facts->uid && status.st_gid == facts->gid;
    if (!owned && fchownat(fd, "", facts->uid, facts->gid, AT_EMPTY_PATH) < 0)
        return failed(fault, "fchownat");
    int result = plain && !fresh ? drop_xattrs(fd, xattrs, fault) : 0;
    bool moded = facts->type == TYPE_SYMLINK || (owned && (status.st_mode & 07777) == facts->mode);
    if (result == 0 && !moded)
        result = keep_mode(fd, facts->mode, fault);
    if (result == 0 && plain)
        result = keep_xattrs(fd, xattrs, fault);
    if (result == 0 && !plain)
        result = keep_times(fd, facts->seconds, facts->nanoseconds, fault);
    return result;
}

int make_node(int parent, const char *name, const struct facts *facts, int *file, struct fault *fault)
{
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int result;
    switch (facts->type) {
    case TYPE_FILE:
        *file = openat(parent, name, how, facts->mode & 0777);
        return *file < 0 ? failed(fault, "openat") : 0;
    case TYPE_DIR:
        return mkdirat(parent, name, (facts->mode & 0777) | 0700) < 0 ? failed(fault, "mkdirat") : 0;
    case TYPE_SYMLINK:
        return symlinkat(facts->link, parent, name) < 0 ? failed(fault, "symlinkat") : 0;
    case TYPE_CHAR:
        result = mknodat(parent, name, S_IFCHR | 0600, makedev(facts->major, facts->minor));
        return result < 0 ? failed(fault, "mknodat") : 0;
    case TYPE_BLOCK:
        result = mknodat(parent, name, S_IFBLK | 0600, makedev(facts->major, facts->minor));
        return result < 0 ? failed(fault, "mknodat") : 0;
    case TYPE_FIFO:
        return mknodat(parent, name, S_IFIFO | 0600, 0) < 0 ? failed(fault, "mknodat") : 0;
    default:
        return failed_with(fault, "unpack", EBADMSG);
    }
}

int begin_file(struct writing *writing, int fd, const struct reader *entry, bool fresh, struct fault *fault)
{
    size_t length = (size_t)(entry->end - entry->at);
    drop_file(writing);
    writing->fd = fd;
    writing->fresh = fresh;
    writing->kept = malloc(length);
    if (writing->kept == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    memcpy(writing->kept, entry->at, length);
    writing->xattrs = (struct reader){.at = writing->kept, .end = writing->kept + length};
    return read_facts(&writing->xattrs, &writing->facts) ? 0 : failed_with(fault, "unpack", EBADMSG);
}

int write_piece(struct writing *writing, struct reader *reader, struct fault *fault)
{
    int64_t offset;
    uint32_t length;
    const uint8_t *bytes;
    if (!read_i64(reader, &offset) || !read_value(reader, &bytes, &length))
        return failed_with(fault, "unpack", EBADMSG);
    return write_bytes(writing, bytes, length, offset, fault);
}

int write_bytes(struct writing *writing, const uint8_t *bytes, uint32_t length, int64_t offset, struct fault *fault)
{
    if (writing->fd < 0)
        return failed_with(fault, "unpack", EBADMSG);
    fault_at(fault, writing->facts.path);
    while (length > 0) {
        ssize_t count = pwrite(writing->fd, bytes, length, offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return failed_with(fault, "pwrite", count < 0 ? errno : EIO);
        bytes += count;
        offset += count;
        length -= (uint32_t)count;
    }
    return 0;
}

int end_file(struct writing *writing, struct fault *fault)
{
    if (writing->fd < 0)
        return 0;
    AUTO_FD file = writing->fd;
    writing->fd = -1;
    fault_at(fault, writing->facts.path);
    struct stat status;
    if (fstat(file, &status) < 0)
        return failed(fault, "fstat");
    /* A hole at the end. */
    if (status.st_size != writing->facts.size && ftruncate(file, writing->facts.size) < 0)
        return failed(fault, "ftruncate");
    int result = keep_facts(file, &writing->facts, writing->xattrs, writing->fresh, fault);
    return result < 0 ? result : keep_times(file, writing->facts.seconds, writing->facts.nanoseconds, fault);
}

void drop_file(struct writing *writing)
{
    close_fd(&writing->fd);
    writing->fd = -1;
    free(writing->kept);
    writing->kept = NULL;
}
