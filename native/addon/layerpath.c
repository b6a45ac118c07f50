/*
 * Paths of a layer's entries. The kernel resolves those of plain directories at once; where there is a symlink, or
 * something missing, each name by itself, so that links are counted, missing directories are made, and the depth is
 * known. One descriptor at a time is enough: `..` is asked of the directory itself and compared with where we came from.
 */
#include "layer.h"

#include <linux/openat2.h>

/* MAXSYMLINKS, linux/namei.h */
#define LINKS 40

void layer_forget_parent(struct layer *layer)
{
    layer->parent_known = false;
}

/* A path being resolved: texts of links lie over the rest of the paths that they are in. */
struct resolving {
    struct layer *layer;
    struct fault *fault;
    bool makes;
    int fd;
    uint32_t depth;
    /* Of the directories above and this one. */
    uint64_t *inodes;
    char *texts[LINKS + 1];
    const char *at[LINKS + 1];
    int pending, links;
};

static void end_resolving(struct resolving *resolving)
{
    while (resolving->pending > 0)
        free(resolving->texts[--resolving->pending]);
    free(resolving->inodes);
    close_fd(&resolving->fd);
}

static int push_text(struct resolving *resolving, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return failed_with(resolving->fault, "malloc", ENOMEM);
    resolving->texts[resolving->pending] = copy;
    resolving->at[resolving->pending++] = copy;
    return 0;
}

/* The next name, cut off from the text it is in; null at the end. */
static const char *next_name(struct resolving *resolving)
{
    while (resolving->pending > 0) {
        int top = resolving->pending - 1;
        char *name = (char *)resolving->at[top] + strspn(resolving->at[top], "/");
        size_t length = strcspn(name, "/");
        if (length == 0) {
            free(resolving->texts[top]);
            resolving->pending = top;
            continue;
        }
        resolving->at[top] = name + length + (name[length] != 0);
        name[length] = 0;
        return name;
    }
    return NULL;
}

static int go_to_root(struct resolving *resolving)
{
    close_fd(&resolving->fd);
    resolving->depth = 0;
    resolving->fd = fcntl(resolving->layer->root, F_DUPFD_CLOEXEC, 3);
    return resolving->fd < 0 ? failed(resolving->fault, "fcntl") : 0;
}

/* The root is above itself. */
static int go_up(struct resolving *resolving)
{
    if (resolving->depth == 0)
        return 0;
    struct stat status;
    int above = openat(resolving->fd, "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (above < 0)
        return failed(resolving->fault, "openat");
    close(resolving->fd);
    resolving->fd = above;
    if (fstatat(above, "", &status, AT_EMPTY_PATH) < 0)
        return failed(resolving->fault, "newfstatat");
    resolving->depth--;
    bool same = status.st_ino == resolving->inodes[resolving->depth];
    return same ? 0 : failed_with(resolving->fault, "openat", EXDEV);
}

/* Takes over the descriptor of a directory in the one where we are. */
static int go_down(struct resolving *resolving, int fd, uint64_t inode)
{
    close(resolving->fd);
    resolving->fd = fd;
    if (resolving->depth == resolving->layer->options.depth)
        return layer_refuses(resolving->fault, LAYER_DEPTH, "");
    resolving->inodes[++resolving->depth] = inode;
    return 0;
}

static int follow_link(struct resolving *resolving, int link)
{
    char target[PATH_MAX];
    if (++resolving->links > LINKS)
        return layer_refuses(resolving->fault, LAYER_LOOP, "");
    ssize_t length = readlinkat(link, "", target, sizeof target - 1);
    if (length < 0)
        return failed(resolving->fault, "readlinkat");
    target[length] = 0;
    int result = target[0] == '/' ? go_to_root(resolving) : 0;
    return result < 0 ? result : push_text(resolving, target);
}

/* Names of an entry's path were looked at before; these are of a symlink's target. */
static int check_name(struct resolving *resolving, const char *name)
{
    if (strlen(name) > NAME_MAX)
        return layer_refuses(resolving->fault, LAYER_NAME_LENGTH, name);
    return strncmp(name, ".wh.", 4) == 0 ? layer_refuses(resolving->fault, LAYER_RESERVED, name) : 0;
}

/* Makes the directory that a path implies. `instead`: in the place of something that is gone now. */
static int make_implied(struct resolving *resolving, const char *name, bool instead, bool opaque)
{
    struct layer *layer = resolving->layer;
    struct fault *fault = resolving->fault;
    int result = check_name(resolving, name);
    if (result < 0)
        return result;
    if (layer->implied++ == layer->options.implied)
        return layer_refuses(fault, LAYER_ENTRIES, "");
    if (mkdirat(resolving->fd, name, 0755) < 0)
        return failed(fault, "mkdirat");
    AUTO_FD made = openat(resolving->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made < 0)
        return failed(fault, "openat");
    const struct facts facts = {.type = TYPE_DIR, .mode = 0755};
    const struct reader none = {0};
    struct made_slot *slot;
    result = keep_facts(made, &facts, none, !layer->inherits, fault);
    if (result == 0)
        result = layer_know_directory(layer, made, instead ? MADE_SETTLED : 0, &slot, fault);
    if (result == 0 && opaque)
        result = layer_mark_opaque(made, slot, fault);
    if (result < 0)
        return result;
    if (!instead)
        layer->unsettled++;
    int fd = made;
    made = -1;
    return go_down(resolving, fd, slot->inode);
}

/* A file of this layer is an error; a whiteout, or a file of the layers below, gives way to a directory. */
static int pass_file(struct resolving *resolving, const char *name, const struct stat *status)
{
    struct layer *layer = resolving->layer;
    struct made_slot *slot = layer->options.flat ? made_find(&layer->made, status->st_ino) : NULL;
    bool gone = !layer->options.flat && is_whiteout(status);
    bool lower = layer->options.flat && (slot == NULL || (slot->flags & MADE_TOUCHED) == 0);
    if (!gone && !lower)
        return layer_refuses(resolving->fault, LAYER_NOT_DIRECTORY, name);
    if (!resolving->makes)
        return -ENOENT;
    int result = check_name(resolving, name);
    if (result < 0)
        return result;
    if (unlinkat(resolving->fd, name, 0) < 0)
        return failed(resolving->fault, "unlinkat");
    layer_forget_parent(layer);
    return make_implied(resolving, name, true, gone);
}

static int go_through(struct resolving *resolving, const char *name)
{
    struct fault *fault = resolving->fault;
    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0)
        return go_up(resolving);
    const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    AUTO_FD found = -ENAMETOOLONG;
    if (strlen(name) <= NAME_MAX)
        found = open_in_root(resolving->fd, name, O_PATH | O_NOFOLLOW, resolve, fault);
    if (found == -ENOENT || found == -ENAMETOOLONG)
        return resolving->makes ? make_implied(resolving, name, false, false) : -ENOENT;
    if (found < 0)
        return found;
    struct stat status;
    if (fstatat(found, "", &status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    if (S_ISLNK(status.st_mode))
        return follow_link(resolving, found);
    if (!S_ISDIR(status.st_mode))
        return pass_file(resolving, name, &status);
    struct made_slot *slot;
    int result = resolving->makes ? layer_touch(resolving->layer, found, &slot, fault) : 0;
    if (result < 0)
        return result;
    int fd = found;
    found = -1;
    return go_down(resolving, fd, status.st_ino);
}

/* The directory by one name at a time: a descriptor for the caller. */
static int resolve_slowly(struct layer *layer, const char *path, bool makes, struct fault *fault)
{
    struct resolving resolving = {.layer = layer, .fault = fault, .makes = makes, .fd = -1};
    resolving.inodes = malloc(((size_t)layer->options.depth + 1) * sizeof *resolving.inodes);
    int result = resolving.inodes == NULL ? failed_with(fault, "malloc", ENOMEM) : go_to_root(&resolving);
    struct made_slot *slot;
    if (result == 0) {
        resolving.inodes[0] = layer->root_inode;
        result = push_text(&resolving, path);
    }
    if (result == 0 && makes)
        result = layer_touch(layer, layer->root, &slot, fault);
    const char *name;
    while (result == 0 && (name = next_name(&resolving)) != NULL)
        result = go_through(&resolving, name);
    if (result == 0) {
        result = resolving.fd;
        resolving.fd = -1;
    }
    end_resolving(&resolving);
    return result;
}

static uint32_t count_names(const char *path)
{
    uint32_t count = path[0] != 0;
    for (; *path != 0; path++)
        count += *path == '/';
    return count;
}

/* Whether it and those above it are known to have something of this layer in them. */
static bool is_touched(struct layer *layer, int directory)
{
    struct stat status;
    if (fstatat(directory, "", &status, AT_EMPTY_PATH) < 0)
        return false;
    struct made_slot *slot = made_find(&layer->made, status.st_ino);
    return slot != NULL && (slot->flags & MADE_TOUCHED) != 0;
}

/* A path without symlinks whose directories are all there, by one call; -1: it is none. */
static int resolve_at_once(struct layer *layer, const char *path, struct fault *fault)
{
    const uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    return open_in_root(layer->root, path, O_PATH | O_DIRECTORY, resolve, fault);
}

static bool is_simple_path(const struct layer *layer, const char *path)
{
    return strlen(path) < PATH_MAX && count_names(path) <= layer->options.depth;
}

int layer_parent(struct layer *layer, const char *path, struct fault *fault)
{
    if (layer->parent_known && strcmp(layer->parent_path, path) == 0)
        return layer->parent;
    close_fd(&layer->parent);
    layer->parent = -1;
    layer->parent_known = false;
    if (strlen(path) >= PATH_MAX)
        return failed_with(fault, "openat2", ENAMETOOLONG);
    int found = is_simple_path(layer, path) ? resolve_at_once(layer, path, fault) : -1;
    /* Without a copy of lower layers all that is there is of this one. */
    if (found >= 0 && layer->options.flat && !is_touched(layer, found)) {
        close(found);
        found = -1;
    }
    if (found < 0)
        found = resolve_slowly(layer, path, true, fault);
    if (found < 0)
        return found;
    strcpy(layer->parent_path, path);
    layer->parent_known = true;
    layer->parent = found;
    return found;
}

int layer_look(struct layer *layer, const char *path, struct fault *fault)
{
    int found = is_simple_path(layer, path) ? resolve_at_once(layer, path, fault) : -1;
    return found >= 0 ? found : resolve_slowly(layer, path, false, fault);
}

int layer_split_path(const char *path, char above[PATH_MAX], const char **name, struct fault *fault)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    *name = slash == NULL ? path : slash + 1;
    if (length >= PATH_MAX)
        return failed_with(fault, "openat2", ENAMETOOLONG);
    if ((*name)[0] == 0 || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
        return failed_with(fault, "unpack", EBADMSG);
    memcpy(above, path, length);
    above[length] = 0;
    return 0;
}

int layer_open_parent(struct layer *layer, const char *path, const char **name, struct fault *fault)
{
    char above[PATH_MAX];
    int result = layer_split_path(path, above, name, fault);
    return result < 0 ? result : layer_parent(layer, above, fault);
}
