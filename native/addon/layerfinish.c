/*
 * The end of a layer's unpacking: one walk over the directories with something of the layer in them, beside a view of
 * the layers below. What is implied gets the facts it has there, and every directory its time.
 */
#include "deep.h"
#include "layer.h"

#include <linux/openat2.h>
#include <stdio.h>

struct finishing {
    struct layer *layer;
    struct inode_map links;
    uint64_t contents;
    cancel_flag cancel;
    struct fault *fault;
};

/*
 * A directory on the way to where we are, and what the layers below show there. Both descriptors are -1 while they are
 * closed; `below` also where nothing is below.
 */
struct step {
    struct step *above;
    const char *name;
    int level;
    int fd, below;
};

static void close_step(struct step *step)
{
    close_fd(&step->fd);
    close_fd(&step->below);
    step->fd = step->below = -1;
}

static void fault_at_step(struct fault *fault, const struct step *step, const char *name)
{
    char path[sizeof fault->path];
    size_t at = sizeof path - 1;
    path[at] = 0;
    for (;; name = step->name, step = step->above) {
        size_t length = strlen(name);
        if (length > at)
            break;
        at -= length;
        memcpy(path + at, name, length);
        if (step == NULL || step->above == NULL || at == 0)
            break;
        path[--at] = '/';
    }
    fault_at(fault, path + at);
}

/* Gives an implied directory the facts of the one that it lies over. */
static int copy_facts(int below, int directory, struct made_slot *slot, struct fault *fault)
{
    struct stat status;
    AUTO_FD source = openat(below, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0)
        return failed(fault, "openat");
    if (fstat(source, &status) < 0)
        return failed(fault, "fstat");
    const struct reader none = {0};
    const struct facts facts = {
        .type = TYPE_DIR, .mode = status.st_mode & 07777, .uid = status.st_uid, .gid = status.st_gid
    };
    int result = keep_facts(directory, &facts, none, false, fault);
    if (result == 0)
        result = copy_layer_xattrs(source, directory, fault);
    slot->seconds = status.st_mtim.tv_sec;
    slot->nanoseconds = (uint32_t)status.st_mtim.tv_nsec;
    return result;
}

/* What the layers below show under the name: a directory's descriptor, or -ENOENT. A symlink there is an error. */
static int look_below(struct finishing *finishing, int below, const char *name, const struct step *step, bool implied)
{
    const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    struct stat status;
    AUTO_FD found = open_in_root(below, name, O_PATH | O_NOFOLLOW, resolve, finishing->fault);
    if (found < 0)
        return found;
    if (fstatat(found, "", &status, AT_EMPTY_PATH) < 0)
        return failed(finishing->fault, "newfstatat");
    if (S_ISLNK(status.st_mode) && implied) {
        fault_at_step(finishing->fault, step, name);
        return layer_refuses(finishing->fault, LAYER_SYMLINK_BELOW, "");
    }
    if (!S_ISDIR(status.st_mode))
        return -ENOENT;
    int fd = found;
    found = -1;
    return fd;
}

static int finish_directory(struct finishing *finishing, struct step *step, struct made_slot *slot);

/* Finishes a directory that lies too deep for those above it to stay open. */
static int finish_deep(struct finishing *finishing, struct step *step, struct made_slot *slot)
{
    struct step *above = step->above;
    struct stat fd, below;
    /* Where nothing is below any more the last that was is not to be found again. It is one of all on the way. */
    const bool reopens = step->below >= 0;
    if (fstat(above->fd, &fd) < 0 || (reopens && fstat(above->below, &below) < 0))
        return failed(finishing->fault, "fstat");
    close_fd(&above->fd);
    above->fd = -1;
    if (reopens) {
        close_fd(&above->below);
        above->below = -1;
    }
    int result = finish_directory(finishing, step, slot);
    if (result < 0)
        return result;
    above->fd = open_above(step->fd, O_RDONLY, &fd, finishing->fault);
    if (above->fd < 0 || !reopens)
        return above->fd < 0 ? above->fd : 0;
    above->below = open_above(step->below, O_PATH, &below, finishing->fault);
    return above->below < 0 ? above->below : 0;
}

/* Goes into a directory of the layer, and leaves files alone but for counting them. */
static int finish_child(struct finishing *finishing, struct step *above, int shown_by, const char *name)
{
    struct layer *layer = finishing->layer;
    struct stat status;
    if (fstatat(above->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return failed(finishing->fault, "newfstatat");
    struct made_slot *slot = made_find(&layer->made, status.st_ino);
    bool ours = S_ISDIR(status.st_mode) || layer->options.flat ? slot != NULL && slot->flags & MADE_TOUCHED : true;
    if (!ours)
        return 0;
    if (S_ISREG(status.st_mode)) {
        if (status.st_nlink > 1 && inode_name(&finishing->links, status.st_dev, status.st_ino) != NULL)
            return 0;
        if (status.st_nlink > 1 && !inode_remember(&finishing->links, status.st_dev, status.st_ino, ""))
            return failed_with(finishing->fault, "malloc", ENOMEM);
        finishing->contents += (uint64_t)status.st_size;
        return 0;
    }
    if (!S_ISDIR(status.st_mode))
        return 0;
    __attribute__((cleanup(close_step))) struct step here = {
        .above = above, .name = name, .level = above->level + 1, .fd = -1, .below = -1
    };
    if (shown_by >= 0)
        here.below = look_below(finishing, shown_by, name, above, (slot->flags & MADE_SETTLED) == 0);
    if (here.below < 0 && shown_by >= 0 && here.below != -ENOENT)
        return here.below;
    here.fd = openat(above->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (here.fd < 0)
        return failed(finishing->fault, "openat");
    return here.level <= OPEN_LEVELS ? finish_directory(finishing, &here, slot) : finish_deep(finishing, &here, slot);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The names of what may be a directory; all else is finished at once. */
static int finish_files(struct finishing *finishing, struct step *step, struct names *directories)
{
    int copy = fcntl(step->fd, F_DUPFD_CLOEXEC, 3);
    AUTO_DIR dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        close_fd(&copy);
        return failed(finishing->fault, "fdopendir");
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? 0 : failed(finishing->fault, "getdents64");
        if (is_dots(entry->d_name))
            continue;
        if (cancelled(finishing->cancel))
            return failed_with(finishing->fault, "newfstatat", ECANCELED);
        int result = 0;
        if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
            result = finish_child(finishing, step, -1, entry->d_name);
        else if (!names_add(directories, entry->d_name))
            result = failed_with(finishing->fault, "malloc", ENOMEM);
        if (result < 0)
            return result;
    }
}

static int finish_directory(struct finishing *finishing, struct step *step, struct made_slot *slot)
{
    AUTO_NAMES directories = {0};
    int result = 0;
    if (step->below >= 0 && (slot->flags & MADE_SETTLED) == 0)
        result = copy_facts(step->below, step->fd, slot, finishing->fault);
    if (result == 0)
        result = finish_files(finishing, step, &directories);
    for (size_t at = 0; result == 0 && at < directories.length; at += strlen(directories.bytes + at) + 1) {
        const int shown_by = slot->flags & MADE_OPAQUE ? -1 : step->below;
        if (cancelled(finishing->cancel))
            return failed_with(finishing->fault, "newfstatat", ECANCELED);
        result = finish_child(finishing, step, shown_by, directories.bytes + at);
    }
    return result < 0 ? result : keep_times(step->fd, slot->seconds, slot->nanoseconds, finishing->fault);
}

int layer_finish(struct layer *layer, int below, cancel_flag cancel, uint64_t *contents, struct fault *fault)
{
    struct finishing finishing = {.layer = layer, .cancel = cancel, .fault = fault};
    struct made_slot *slot = made_find(&layer->made, layer->root_inode);
    *contents = 0;
    /* Over a copy, and nothing in it was touched. */
    if (slot == NULL)
        return 0;
    AUTO_FD fd = openat(layer->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(fault, "openat");
    struct step top = {.above = NULL, .name = "", .level = 0, .fd = fd, .below = below};
    int result = finish_directory(&finishing, &top, slot);
    inode_map_free(&finishing.links);
    *contents = finishing.contents;
    return result;
}

bool layer_is_opaque(const struct layer *layer)
{
    const struct made_slot *slot = made_find(&layer->made, layer->root_inode);
    return slot != NULL && (slot->flags & MADE_OPAQUE) != 0;
}
