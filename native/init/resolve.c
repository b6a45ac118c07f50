/* The functions of resolve.h. */
#include "resolve.h"

/*
 * As many links as the kernel follows in one path: MAXSYMLINKS of include/linux/namei.h, with room
 * for parents.
 */
#define REACH_DEPTH 128

int resolve(struct child *child, const char *path, uint64_t flags, bool strict)
{
    if (child->root < 0) {
        child->root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        if (child->root < 0)
            return child->root;
    }
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (strict ? RESOLVE_NO_SYMLINKS : 0),
    };
    /* EAGAIN: a rename or mount somewhere raced with a ".."; openat2(2) asks to try again. */
    int fd = -EAGAIN;
    for (int tries = 0; fd == -EAGAIN && tries < 64; tries++)
        fd = sys_openat2(child->root, path, &how);
    return fd;
}

/* Cuts the last component off, which is returned; NULL when there is none or it is "." or "..". */
static char *cut_name(char *path)
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        path[--end] = 0;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    char *name = path + start;
    if (*name == 0 || text_equal(name, ".") || text_equal(name, ".."))
        return NULL;
    if (start > 0)
        path[start - 1] = 0;
    return name;
}

static int reach_in(struct child *child, char *path, enum reach_kind kind, unsigned mode,
                    bool strict, int depth);

/* Makes what the dangling link `name` in `directory` (whose path is `parent`) points to. */
__attribute__((noinline)) static int reach_link(struct child *child, int directory,
                                                const char *parent, const char *name,
                                                enum reach_kind kind, unsigned mode, int depth)
{
    char next[PATH_LIMIT], target[PATH_LIMIT];
    long length = sys_readlinkat(directory, name, target, sizeof target - 1);
    if (length < 0)
        return length == -EINVAL ? -EEXIST : (int)length;
    target[length] = 0;
    struct buffer text = { next, 0, sizeof next, false };
    if (target[0] != '/') {
        put_text(&text, parent);
        put_byte(&text, '/');
    }
    put_text(&text, target);
    put_end(&text);
    return text.full ? -ENAMETOOLONG : reach_in(child, next, kind, mode, false, depth);
}

/* Makes `path`, which is not there. */
static int make_in(struct child *child, char *path, enum reach_kind kind, unsigned mode,
                   bool strict, int depth)
{
    if (depth == 0)
        return -ELOOP;
    char top[] = "/";
    char *name = cut_name(path);
    if (name == NULL)
        return -ENOENT;
    char *parent = name == path || path[0] == 0 ? top : path;
    CLOSED int directory = reach_in(child, parent, REACH_DIRECTORY, 0755, strict, depth - 1);
    if (directory < 0)
        return directory;
    int made = kind == REACH_DIRECTORY ? sys_mkdirat(directory, name, mode)
                                       : sys_mknodat(directory, name, S_IFREG | mode, 0);
    if (made == -EEXIST && !strict)
        return reach_link(child, directory, parent, name, kind, mode, depth - 1);
    if (made < 0)
        return made;
    return sys_openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
}

static int find(struct child *child, const char *path, enum reach_kind kind, bool strict)
{
    return resolve(child, path, kind == REACH_DIRECTORY ? O_PATH | O_DIRECTORY : O_PATH, strict);
}

static int reach_in(struct child *child, char *path, enum reach_kind kind, unsigned mode,
                    bool strict, int depth)
{
    int fd = find(child, path, kind, strict);
    return fd == -ENOENT ? make_in(child, path, kind, mode, strict, depth) : fd;
}

/* The copy is as long as the path: a page of the stack that is not touched is one less to make. */
__attribute__((noinline)) static int make_missing(struct child *child, const char *path,
                                                  enum reach_kind kind, unsigned mode, bool strict)
{
    size_t size = strlen(path) + 1;
    if (size > PATH_LIMIT)
        return -ENAMETOOLONG;
    char copy[size];
    memcpy(copy, path, size);
    return make_in(child, copy, kind, mode, strict, REACH_DEPTH);
}

int reach(struct child *child, const char *path, enum reach_kind kind, unsigned mode, bool strict)
{
    int fd = find(child, path, kind, strict);
    if (fd == -ENOENT)
        fd = make_missing(child, path, kind, mode, strict);
    return fd < 0 ? failed(&child->failure, fd, "openat2", path) : fd;
}

/* Operations on one directory come in a row, and nothing is mounted between them. */
static bool is_kept(const struct child *child, const char *path, size_t length)
{
    const struct kept_parent *kept = &child->parent;
    return kept->fd >= 0 && kept->operation + 1 == child->operation && kept->length == length &&
           memcmp(kept->path, path, length) == 0;
}

int reach_parent(struct child *child, const char *path, const char **name)
{
    struct kept_parent *kept = &child->parent;
    size_t offset = name_offset(path);
    *name = path + offset;
    if (offset >= PATH_LIMIT)
        return failed(&child->failure, -ENAMETOOLONG, "openat2", path);
    if (**name == 0 || text_equal(*name, ".") || text_equal(*name, ".."))
        return failed(&child->failure, -EINVAL, "openat2", path);
    if (!is_kept(child, path, offset)) {
        char parent[offset + 2];
        memcpy(parent, path, offset);
        memcpy(parent + offset, offset == 0 ? "/" : "", offset == 0 ? 2 : 1);
        if (kept->fd >= 0)
            sys_close(kept->fd);
        kept->fd = reach(child, parent, REACH_DIRECTORY, 0755, false);
        kept->path = path;
        kept->length = offset;
    }
    kept->operation = child->operation;
    return kept->fd;
}
