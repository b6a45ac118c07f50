/* The operations of a layer, each as `UnpackOperation` of src/domain/layer/LayerUnpacking.ts says. */
#include "layer.h"

#include <stdio.h>

static bool gives_defaults(struct reader xattrs)
{
    uint32_t count = 0, size;
    const char *name;
    const uint8_t *value;
    read_u32(&xattrs, &count);
    for (; count > 0 && read_text(&xattrs, &name) && read_value(&xattrs, &value, &size); count--)
        if (strcmp(name, "system.posix_acl_default") == 0)
            return true;
    return false;
}

static int give_facts(struct layer *layer, int directory, const struct facts *facts, struct reader xattrs, bool fresh,
                      struct fault *fault)
{
    struct made_slot *slot;
    int result = keep_facts(directory, facts, xattrs, fresh && !layer->inherits, fault);
    if (result == 0)
        result = fresh ? layer_know_directory(layer, directory, MADE_SETTLED, &slot, fault)
                       : layer_touch(layer, directory, &slot, fault);
    if (result < 0)
        return result;
    layer_settle(layer, slot, facts->seconds, facts->nanoseconds);
    layer->inherits = layer->inherits || gives_defaults(xattrs);
    return 0;
}

static int make_directory(struct layer *layer, int parent, const char *name, const struct facts *facts,
                          struct reader xattrs, struct fault *fault)
{
    struct stat status;
    bool replaces = false;
    int result = make_node(parent, name, facts, NULL, fault);
    bool fresh = result == 0;
    if (result == -EEXIST) {
        if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return failed(fault, "newfstatat");
        replaces = !S_ISDIR(status.st_mode);
        result = 0;
    }
    if (replaces) {
        layer_forget_parent(layer);
        if (unlinkat(parent, name, 0) < 0)
            return failed(fault, "unlinkat");
        result = make_node(parent, name, facts, NULL, fault);
        fresh = true;
    }
    if (result < 0)
        return result;
    AUTO_FD directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return failed(fault, "openat");
    result = give_facts(layer, directory, facts, xattrs, fresh, fault);
    if (result < 0 || !replaces || layer->options.flat)
        return result;
    struct made_slot *slot;
    result = layer_touch(layer, directory, &slot, fault);
    return result < 0 ? result : layer_mark_opaque(directory, slot, fault);
}

/* With lower files around one must know which are of this layer. */
static int know_file(struct layer *layer, int fd, struct fault *fault)
{
    struct stat status;
    if (!layer->options.flat)
        return 0;
    if (fstatat(fd, "", &status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    struct made_slot *slot = made_know(&layer->made, status.st_ino);
    if (slot == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    slot->flags = MADE_TOUCHED;
    return 0;
}

static int make_file(struct layer *layer, int parent, const char *name, const struct facts *facts,
                     const struct reader *entry, struct reader xattrs, cancel_flag cancel, struct fault *fault)
{
    int file = -1;
    int result = make_node(parent, name, facts, &file, fault);
    if (result == -EEXIST) {
        result = layer_make_room(layer, parent, name, cancel, fault);
        if (result == 0)
            result = make_node(parent, name, facts, &file, fault);
    }
    if (result < 0)
        return result;
    if (facts->type == TYPE_FILE) {
        result = begin_file(&layer->writing, file, entry, !layer->inherits, fault);
        return result < 0 ? result : know_file(layer, file, fault);
    }
    AUTO_FD made = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (made < 0)
        return failed(fault, "openat");
    result = know_file(layer, made, fault);
    return result < 0 ? result : keep_facts(made, facts, xattrs, true, fault);
}

/* What a hard link is to be another name of: a descriptor. A symlink is one itself. */
static int open_linked(struct layer *layer, const char *path, struct stat *status, struct fault *fault)
{
    char above[PATH_MAX];
    const char *name;
    int result = layer_split_path(path, above, &name, fault);
    if (result < 0)
        return result;
    AUTO_FD directory = layer_look(layer, above, fault);
    if (directory == -ENOENT)
        return layer_refuses(fault, LAYER_LINK_MISSING, path);
    if (directory < 0)
        return directory;
    AUTO_FD linked = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (linked < 0)
        return errno == ENOENT ? layer_refuses(fault, LAYER_LINK_MISSING, path) : failed(fault, "openat");
    if (fstatat(linked, "", status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    if (S_ISDIR(status->st_mode))
        return layer_refuses(fault, LAYER_LINK_DIRECTORY, path);
    if (!layer->options.flat && is_whiteout(status))
        return layer_refuses(fault, LAYER_LINK_MISSING, path);
    int fd = linked;
    linked = -1;
    return fd;
}

/* A second name for an open file: by /proc, as AT_EMPTY_PATH wants a capability more. */
static int link_open(int fd, int parent, const char *name, struct fault *fault)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, parent, name, AT_SYMLINK_FOLLOW) < 0 ? failed(fault, "linkat") : 0;
}

/* Something has the name: it may hold the very file, so it goes only when there is another name. */
static int replace_by_link(struct layer *layer, int fd, int parent, const char *name, cancel_flag cancel,
                           struct fault *fault)
{
    char fresh[64];
    int result = -EEXIST;
    for (unsigned attempt = 0; attempt < 1000 && result == -EEXIST; attempt++) {
        snprintf(fresh, sizeof fresh, ".fx-link-%u", attempt);
        result = link_open(fd, parent, fresh, fault);
    }
    if (result == 0)
        result = layer_make_room(layer, parent, name, cancel, fault);
    if (result < 0)
        return result;
    return renameat(parent, fresh, parent, name) < 0 ? failed(fault, "renameat") : 0;
}

static int make_link(struct layer *layer, const struct facts *facts, cancel_flag cancel, struct fault *fault)
{
    struct stat linked, found;
    const char *name;
    AUTO_FD fd = open_linked(layer, facts->link, &linked, fault);
    if (fd < 0)
        return fd;
    int parent = layer_open_parent(layer, facts->path, &name, fault);
    if (parent < 0)
        return parent;
    int result;
    if (fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
        result = errno == ENOENT ? link_open(fd, parent, name, fault) : failed(fault, "newfstatat");
    else if (found.st_ino == linked.st_ino)
        return 0;
    else
        result = replace_by_link(layer, fd, parent, name, cancel, fault);
    return result < 0 ? result : know_file(layer, fd, fault);
}

static int run_entry(struct layer *layer, struct reader *reader, cancel_flag cancel, struct fault *fault)
{
    struct facts facts;
    struct reader entry = *reader;
    if (!read_facts(reader, &facts))
        return failed_with(fault, "unpack", EBADMSG);
    struct reader xattrs = *reader;
    if (!skip_xattrs(reader))
        return failed_with(fault, "unpack", EBADMSG);
    entry.end = xattrs.end = reader->at;
    fault_at(fault, facts.path);
    if (facts.type == TYPE_HARDLINK)
        return make_link(layer, &facts, cancel, fault);
    const char *name;
    if (facts.path[0] == 0) {
        if (facts.type != TYPE_DIR)
            return failed_with(fault, "unpack", EBADMSG);
        return give_facts(layer, layer->root, &facts, xattrs, false, fault);
    }
    int parent = layer_open_parent(layer, facts.path, &name, fault);
    if (parent < 0)
        return parent;
    return facts.type == TYPE_DIR ? make_directory(layer, parent, name, &facts, xattrs, fault)
                                  : make_file(layer, parent, name, &facts, &entry, xattrs, cancel, fault);
}

static int run_piece(struct layer *layer, struct reader *reader, const struct reader *data, struct fault *fault)
{
    int64_t offset;
    uint32_t place, length;
    if (!read_i64(reader, &offset) || !read_u32(reader, &place) || !read_u32(reader, &length))
        return failed_with(fault, "unpack", EBADMSG);
    if ((uint64_t)place + length > (uint64_t)(data->end - data->at))
        return failed_with(fault, "unpack", EBADMSG);
    return write_bytes(&layer->writing, data->at + place, length, offset, fault);
}

int layer_run(struct layer *layer, struct reader records, struct reader data, cancel_flag cancel, struct fault *fault)
{
    struct reader reader = records;
    fault->index = 0;
    while (reader.at < reader.end) {
        uint32_t kind;
        if (cancelled(cancel))
            return failed_with(fault, "unpack", ECANCELED);
        if (!read_u32(&reader, &kind))
            return failed_with(fault, "unpack", EBADMSG);
        int result;
        if (kind == RECORD_PIECE) {
            result = run_piece(layer, &reader, &data, fault);
        } else if (kind == RECORD_END) {
            result = end_file(&layer->writing, fault);
        } else {
            fault->index++;
            if (layer->writing.fd >= 0)
                return failed_with(fault, "unpack", EBADMSG);
            result = kind == RECORD_ENTRY ? run_entry(layer, &reader, cancel, fault)
                                          : layer_hide(layer, kind, &reader, cancel, fault);
        }
        if (result < 0)
            return result;
    }
    return 0;
}

static int require_empty(int directory, struct fault *fault)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        close_fd(&copy);
        return failed(fault, "openat");
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? 0 : failed(fault, "getdents64");
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return failed_with(fault, "getdents64", ENOTEMPTY);
    }
}

/* The root is as implied as any other until the layer says something of it. */
static int begin_alone(struct layer *layer, struct fault *fault)
{
    const struct facts implied = {.type = TYPE_DIR, .mode = 0755};
    const struct reader none = {0};
    struct made_slot *slot;
    int result = require_empty(layer->root, fault);
    if (result == 0)
        result = keep_facts(layer->root, &implied, none, false, fault);
    return result < 0 ? result : layer_know_directory(layer, layer->root, 0, &slot, fault);
}

int layer_open(int root, struct layer_options options, struct layer **layer, struct fault *fault)
{
    AUTO_FD owned = root;
    struct stat status;
    if (fstat(owned, &status) < 0)
        return failed(fault, "fstat");
    struct layer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    *made = (struct layer){
        .options = options, .root = owned, .root_inode = status.st_ino, .parent = -1, .inherits = options.flat
    };
    made->writing.fd = -1;
    owned = -1;
    int result = options.flat ? 0 : begin_alone(made, fault);
    if (result < 0)
        layer_close(made);
    else
        *layer = made;
    return result;
}

void layer_close(struct layer *layer)
{
    drop_file(&layer->writing);
    close_fd(&layer->parent);
    close_fd(&layer->root);
    made_free(&layer->made);
    free(layer);
}
