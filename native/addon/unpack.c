/*
 * Makes the entries of an archive below a directory. Archive and directory are strangers' both: every parent is
 * resolved by the kernel inside the root and may not leave the directory, and nothing is written through a link.
 */
#include "entry.h"

#include <linux/openat2.h>

struct unpack {
    struct unpack_options options;
    /* O_PATH of the directory. */
    int target;
    /* RESOLVE_IN_ROOT at the root, where absolute links mean what they will mean later; else RESOLVE_BENEATH. */
    uint64_t resolve;
    struct writing writing;
    /* The parent used last, most often the next one's too. */
    int parent;
    char parent_path[PATH_MAX];
};

static void forget_parent(struct unpack *unpack)
{
    close_fd(&unpack->parent);
    unpack->parent = -1;
}

/* Makes the directories of a path that don't exist, and opens the last. */
static int make_parents(struct unpack *unpack, const char *path, struct fault *fault)
{
    char part[PATH_MAX];
    AUTO_FD last = fcntl(unpack->target, F_DUPFD_CLOEXEC, 3);
    if (last < 0)
        return failed(fault, "fcntl");
    for (const char *at = path; *at != 0;) {
        size_t length = strcspn(at, "/");
        size_t whole = (size_t)(at - path) + length;
        memcpy(part, path, whole);
        part[whole] = 0;
        int next = open_in_root(unpack->target, part, O_PATH | O_DIRECTORY, unpack->resolve, fault);
        if (next == -ENOENT) {
            memcpy(part, at, length);
            part[length] = 0;
            if (mkdirat(last, part, 0755) < 0 && errno != EEXIST)
                return failed(fault, "mkdirat");
            next = openat(last, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (next < 0)
                return failed(fault, "openat");
            if (fchownat(next, "", unpack->options.uid, unpack->options.gid, AT_EMPTY_PATH) < 0) {
                close(next);
                return failed(fault, "fchownat");
            }
        }
        if (next < 0)
            return next;
        close(last);
        last = next;
        at += length;
        while (*at == '/')
            at++;
    }
    int made = last;
    last = -1;
    return made;
}

/* The directory that an entry lies in (ours, not to be closed) and its name there, "" for the target itself. */
static int open_parent(struct unpack *unpack, const char *path, const char **name, bool make, struct fault *fault)
{
    if (strlen(path) >= PATH_MAX)
        return failed_with(fault, "openat2", ENAMETOOLONG);
    if (path[0] == '/')
        return failed_with(fault, "openat2", EINVAL);
    const char *slash = strrchr(path, '/');
    *name = slash == NULL ? path : slash + 1;
    if (strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0 || (slash != NULL && (*name)[0] == 0))
        return failed_with(fault, "openat2", EINVAL);
    if (slash == NULL)
        return unpack->target;
    size_t length = (size_t)(slash - path);
    if (unpack->parent >= 0 && strncmp(unpack->parent_path, path, length) == 0 && unpack->parent_path[length] == 0)
        return unpack->parent;
    forget_parent(unpack);
    memcpy(unpack->parent_path, path, length);
    unpack->parent_path[length] = 0;
    int parent = open_in_root(unpack->target, unpack->parent_path, O_PATH | O_DIRECTORY, unpack->resolve, fault);
    if (parent == -ENOENT && make)
        parent = make_parents(unpack, unpack->parent_path, fault);
    unpack->parent = parent;
    return parent;
}

/* Takes away what an entry replaces. 1: a directory that stays, for a directory. */
static int make_room(struct unpack *unpack, int parent, const char *name, bool directory, cancel_flag cancel,
                     struct fault *fault)
{
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : failed(fault, "newfstatat");
    bool found = S_ISDIR(status.st_mode);
    if (found && directory)
        return 1;
    if (found != directory && unpack->options.strict)
        return failed_with(fault, directory ? "mkdirat" : "openat", directory ? ENOTDIR : EISDIR);
    return remove_tree_at(parent, name, cancel, fault);
}

static int make_link(struct unpack *unpack, int parent, const char *name, const struct facts *facts,
                     struct fault *fault)
{
    const char *base;
    /* The directory of the other name; ours is in use and must not be given up for it. */
    AUTO_FD ours = fcntl(parent, F_DUPFD_CLOEXEC, 3);
    if (ours < 0)
        return failed(fault, "fcntl");
    int theirs = open_parent(unpack, facts->link, &base, false, fault);
    if (theirs < 0)
        return theirs;
    return linkat(theirs, base, ours, name, 0) < 0 ? failed(fault, "linkat") : 0;
}

static int make_entry(struct unpack *unpack, int parent, const char *name, const struct facts *facts, int *file,
                      struct fault *fault)
{
    return facts->type == TYPE_HARDLINK ? make_link(unpack, parent, name, facts, fault)
                                        : make_node(parent, name, facts, file, fault);
}

/* Makes what the entry says, but for its facts; of a file the descriptor is left open in `file`. */
static int place_entry(struct unpack *unpack, const struct facts *facts, int *file, cancel_flag cancel,
                       struct fault *fault)
{
    const char *name;
    int parent = open_parent(unpack, facts->path, &name, true, fault);
    if (parent < 0)
        return parent;
    if (name[0] == 0)
        return facts->type == TYPE_DIR ? 0 : failed_with(fault, "openat", EISDIR);
    for (int attempt = 0; attempt < 16; attempt++) {
        int result = make_entry(unpack, parent, name, facts, file, fault);
        if (result != -EEXIST)
            return result;
        /* A second name that is there already must not be lost by making room for itself. */
        if (facts->type == TYPE_HARDLINK && strcmp(facts->path, facts->link) == 0)
            return 0;
        /* A hard link's target may have moved the cached parent on. */
        if ((parent = open_parent(unpack, facts->path, &name, true, fault)) < 0)
            return parent;
        result = make_room(unpack, parent, name, facts->type == TYPE_DIR, cancel, fault);
        if (result != 0)
            return result < 0 ? result : 0;
        forget_parent(unpack);
        if ((parent = open_parent(unpack, facts->path, &name, true, fault)) < 0)
            return parent;
    }
    return failed_with(fault, "openat", EEXIST);
}

/* What was just made, or a directory that was there: O_PATH unless it is a directory. */
static int open_made(struct unpack *unpack, const struct facts *facts, struct fault *fault)
{
    const char *name;
    int parent = open_parent(unpack, facts->path, &name, false, fault);
    if (parent < 0)
        return parent;
    int how = facts->type == TYPE_DIR ? O_RDONLY | O_DIRECTORY : O_PATH;
    int fd = openat(parent, name[0] == 0 ? "." : name, how | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? failed(fault, "openat") : fd;
}

static int run_entry(struct unpack *unpack, struct reader *reader, cancel_flag cancel, struct fault *fault)
{
    struct facts facts;
    struct reader entry = *reader;
    if (unpack->writing.fd >= 0 || !read_facts(reader, &facts))
        return failed_with(fault, "unpack", EBADMSG);
    struct reader xattrs = *reader;
    if (!skip_xattrs(reader))
        return failed_with(fault, "unpack", EBADMSG);
    entry.end = reader->at;
    fault_at(fault, facts.path);
    int file = -1;
    int result = place_entry(unpack, &facts, &file, cancel, fault);
    if (result < 0 || facts.type == TYPE_HARDLINK)
        return result;
    if (facts.type == TYPE_FILE)
        return begin_file(&unpack->writing, file, &entry, true, fault);
    AUTO_FD made = open_made(unpack, &facts, fault);
    return made < 0 ? made : keep_facts(made, &facts, xattrs, true, fault);
}

/* A directory that a later entry replaced is passed over. */
static int run_times(struct unpack *unpack, struct reader *reader, struct fault *fault)
{
    struct facts facts = {.type = TYPE_DIR};
    if (!read_u32(reader, &facts.nanoseconds) || !read_i64(reader, &facts.seconds) ||
        !read_text(reader, &facts.path))
        return failed_with(fault, "unpack", EBADMSG);
    fault_at(fault, facts.path);
    AUTO_FD directory = open_made(unpack, &facts, fault);
    if (directory == -ENOENT || directory == -ENOTDIR || directory == -ELOOP)
        return 0;
    return directory < 0 ? directory : keep_times(directory, facts.seconds, facts.nanoseconds, fault);
}

static int run_record(struct unpack *unpack, uint32_t kind, struct reader *reader, cancel_flag cancel,
                      struct fault *fault)
{
    switch (kind) {
    case RECORD_ENTRY:
        return run_entry(unpack, reader, cancel, fault);
    case RECORD_DATA:
        return write_piece(&unpack->writing, reader, fault);
    case RECORD_END:
        return end_file(&unpack->writing, fault);
    case RECORD_TIMES:
        return run_times(unpack, reader, fault);
    default:
        return failed_with(fault, "unpack", EBADMSG);
    }
}

int unpack_open(int root, const char *path, struct unpack_options options, struct unpack **unpack,
                struct fault *fault)
{
    AUTO_FD owned = root;
    AUTO_FD target = open_in_root(owned, path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT, fault);
    if (target < 0)
        return target;
    struct stat top, found;
    if (fstat(owned, &top) < 0 || fstat(target, &found) < 0)
        return failed(fault, "fstat");
    struct unpack *made = calloc(1, sizeof *made);
    if (made == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    made->options = options;
    made->resolve = top.st_dev == found.st_dev && top.st_ino == found.st_ino ? RESOLVE_IN_ROOT : RESOLVE_BENEATH;
    made->target = target;
    made->writing.fd = -1;
    made->parent = -1;
    target = -1;
    *unpack = made;
    return 0;
}

int unpack_run(struct unpack *unpack, const uint8_t *bytes, size_t length, cancel_flag cancel, struct fault *fault)
{
    struct reader reader = {.at = bytes, .end = bytes + length};
    while (reader.at < reader.end) {
        uint32_t kind;
        if (cancelled(cancel))
            return failed_with(fault, "unpack", ECANCELED);
        if (!read_u32(&reader, &kind))
            return failed_with(fault, "unpack", EBADMSG);
        int result = run_record(unpack, kind, &reader, cancel, fault);
        if (result < 0)
            return result;
    }
    return 0;
}

void unpack_close(struct unpack *unpack)
{
    forget_parent(unpack);
    drop_file(&unpack->writing);
    close_fd(&unpack->target);
    free(unpack);
}
