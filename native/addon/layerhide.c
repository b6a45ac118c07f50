/* How a layer hides what the layers below have: by marks of overlayfs, or, over a copy of them, by taking it away. */
#include "layer.h"

#include <sys/sysmacros.h>

int layer_make_room(struct layer *layer, int parent, const char *name, cancel_flag cancel, struct fault *fault)
{
    layer_forget_parent(layer);
    return remove_tree_at(parent, name, cancel, fault);
}

/* Opens a directory by name; -ENOTDIR for anything else. */
static int open_directory(int parent, const char *name, struct fault *fault)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? failed_with(fault, "openat", errno == ELOOP ? ENOTDIR : errno) : fd;
}

static int make_whiteout(struct layer *layer, const char *path, struct fault *fault)
{
    const char *name;
    int parent = layer_open_parent(layer, path, &name, fault);
    if (parent < 0)
        return parent;
    if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) == 0)
        return 0;
    if (errno != EEXIST)
        return failed(fault, "mknodat");
    AUTO_FD directory = open_directory(parent, name, fault);
    if (directory < 0)
        return directory == -ENOTDIR ? 0 : directory;
    struct made_slot *slot;
    int result = layer_touch(layer, directory, &slot, fault);
    if (result < 0)
        return result;
    if ((slot->flags & MADE_SETTLED) == 0)
        layer_settle(layer, slot, 0, 0);
    return layer_mark_opaque(directory, slot, fault);
}

static int mark_opaque(struct layer *layer, const char *path, struct fault *fault)
{
    struct made_slot *slot;
    int found = layer_parent(layer, path, fault);
    int result = found < 0 ? found : layer_touch(layer, found, &slot, fault);
    if (result < 0 || slot->flags & MADE_OPAQUE)
        return result;
    AUTO_FD directory = open_directory(found, ".", fault);
    return directory < 0 ? directory : layer_mark_opaque(directory, slot, fault);
}

static int clear_directory(struct layer *layer, int directory, struct made_slot *slot, cancel_flag cancel,
                           struct fault *fault);

/* A directory of which the lower layers' one is gone, with its facts. */
static int hide_below(struct layer *layer, int directory, struct made_slot *slot, cancel_flag cancel,
                      struct fault *fault)
{
    if ((slot->flags & MADE_SETTLED) == 0) {
        const struct facts implied = {.type = TYPE_DIR, .mode = 0755};
        const struct reader none = {0};
        int result = keep_facts(directory, &implied, none, false, fault);
        if (result < 0)
            return result;
        layer_settle(layer, slot, 0, 0);
    }
    return clear_directory(layer, directory, slot, cancel, fault);
}

/* 1: it was removed, 0: it is of this layer and stays. */
static int hide_name(struct layer *layer, int parent, const char *name, cancel_flag cancel, struct fault *fault)
{
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : failed(fault, "newfstatat");
    struct made_slot *slot = made_find(&layer->made, status.st_ino);
    if (slot == NULL || (slot->flags & MADE_TOUCHED) == 0) {
        int result = layer_make_room(layer, parent, name, cancel, fault);
        return result < 0 ? result : 1;
    }
    if (!S_ISDIR(status.st_mode))
        return 0;
    AUTO_FD directory = open_directory(parent, name, fault);
    return directory < 0 ? directory : hide_below(layer, directory, slot, cancel, fault);
}

/* One pass over the names: how many were removed. */
static int clear_names(struct layer *layer, int directory, cancel_flag cancel, struct fault *fault)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        close_fd(&copy);
        return failed(fault, "openat");
    }
    int removed = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? removed : failed(fault, "getdents64");
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (cancelled(cancel))
            return failed_with(fault, "unlinkat", ECANCELED);
        int result = hide_name(layer, directory, entry->d_name, cancel, fault);
        if (result < 0)
            return result;
        removed = removed == INT_MAX ? removed : removed + result;
    }
}

static int clear_directory(struct layer *layer, int directory, struct made_slot *slot, cancel_flag cancel,
                           struct fault *fault)
{
    if (slot->flags & MADE_CLEARED)
        return 0;
    slot->flags |= MADE_CLEARED;
    int removed;
    do removed = clear_names(layer, directory, cancel, fault);
    while (removed > 0);
    return removed;
}

static int remove_lower(struct layer *layer, const char *path, cancel_flag cancel, struct fault *fault)
{
    const char *name;
    int parent = layer_open_parent(layer, path, &name, fault);
    int result = parent < 0 ? parent : hide_name(layer, parent, name, cancel, fault);
    return result < 0 ? result : 0;
}

static int clear_lower(struct layer *layer, const char *path, cancel_flag cancel, struct fault *fault)
{
    struct made_slot *slot;
    int directory = layer_parent(layer, path, fault);
    int result = directory < 0 ? directory : layer_touch(layer, directory, &slot, fault);
    return result < 0 ? result : clear_directory(layer, directory, slot, cancel, fault);
}

int layer_hide(struct layer *layer, uint32_t kind, struct reader *reader, cancel_flag cancel, struct fault *fault)
{
    const char *path;
    if (!read_text(reader, &path))
        return failed_with(fault, "unpack", EBADMSG);
    fault_at(fault, path);
    switch (kind) {
    case RECORD_WHITEOUT:
        return make_whiteout(layer, path, fault);
    case RECORD_OPAQUE:
        return mark_opaque(layer, path, fault);
    case RECORD_REMOVE_LOWER:
        return remove_lower(layer, path, cancel, fault);
    case RECORD_CLEAR_LOWER:
        return clear_lower(layer, path, cancel, fault);
    default:
        return failed_with(fault, "unpack", EBADMSG);
    }
}
