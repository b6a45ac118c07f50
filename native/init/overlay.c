/* The functions of overlay.h. */
#include "overlay.h"
#include "syscall.h"
#include "text.h"

/* Longest string that fsconfig(2) takes, its NUL included: fs/fsopen.c. */
#define FSCONFIG_STRING 256

/*
 * As many lower layers as the kernel takes, OVL_MAX_STACK of fs/overlayfs/super.c, and the parent
 * of the upper one.
 */
#define LAYERS_AT_MOST 501

/* Room for "/proc/self/fd/N/" and a name. */
#define FD_PATH 288

static const char *fd_path(char buffer[FD_PATH], int fd, const char *name)
{
    struct buffer text = { buffer, 0, FD_PATH, false };
    put_text(&text, "/proc/self/fd/");
    put_number(&text, (uint64_t)fd);
    if (*name) {
        put_byte(&text, '/');
        put_text(&text, name);
    }
    return put_end(&text);
}

static int configure(struct failure *failure, int fs, unsigned command, const char *key,
                     const char *value, const char *path)
{
    int result = sys_fsconfig(fs, command, key, value);
    return result < 0 ? failed(failure, result, "fsconfig", path) : 0;
}

/*
 * Mapped layers are detached mounts, which last only as long as their fds are open: until the
 * overlay is made.
 */
struct layers {
    int user_namespace;
    unsigned count;
    int fds[LAYERS_AT_MOST];
};

static void close_layers(struct layers *layers)
{
    for (unsigned at = 0; at < layers->count; at++)
        sys_close(layers->fds[at]);
    layers->count = 0;
}

/*
 * Opens a layer, its ids mapped when a user namespace is given. The fd is closed with the others.
 */
static int open_layer(struct failure *failure, const char *path, struct layers *layers)
{
    bool mapped = layers->user_namespace >= 0;
    if (layers->count == LAYERS_AT_MOST)
        return failed(failure, -E2BIG, "open_tree", path);
    int fd = mapped ? sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
                    : sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (fd < 0)
        return failed(failure, fd, mapped ? "open_tree" : "openat", path);
    layers->fds[layers->count++] = fd;
    struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP,
                                     .userns_fd = (uint64_t)layers->user_namespace };
    int result = mapped ? sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attributes) : 0;
    return result < 0 ? failed(failure, result, "mount_setattr", path) : fd;
}

static int add_lower(struct failure *failure, int fs, const char *path, struct layers *layers)
{
    char buffer[FD_PATH];
    if (layers->user_namespace < 0 && strlen(path) < FSCONFIG_STRING)
        return configure(failure, fs, FSCONFIG_SET_STRING, "lowerdir+", path, path);
    int layer = open_layer(failure, path, layers);
    return layer < 0 ? layer
                     : configure(failure, fs, FSCONFIG_SET_STRING, "lowerdir+",
                                 fd_path(buffer, layer, ""), path);
}

/*
 * Upper and work must lie in one mount, so their common parent is opened and both are reached from
 * there.
 */
static int add_upper(struct failure *failure, int fs, const struct fx_root_overlay *op,
                     struct layers *layers)
{
    char parent[4096], buffer[FD_PATH];
    const char *upper = op->upper.bytes, *work = op->work.bytes;
    size_t length = name_offset(upper);
    if (length < 2 || length != name_offset(work) || memcmp(upper, work, length) != 0 ||
        length > sizeof parent)
        return failed(failure, -EINVAL, "fsconfig", work);
    memcpy(parent, upper, length - 1);
    parent[length - 1] = 0;
    int tree = open_layer(failure, parent, layers);
    if (tree < 0)
        return tree;
    int result = configure(failure, fs, FSCONFIG_SET_STRING, "upperdir",
                           fd_path(buffer, tree, upper + length), upper);
    return result < 0 ? result
                      : configure(failure, fs, FSCONFIG_SET_STRING, "workdir",
                                  fd_path(buffer, tree, work + length), work);
}

static int configure_overlay(struct failure *failure, int fs, const struct fx_root_overlay *op,
                             struct layers *layers)
{
    struct fx_reader items = op->lower.items;
    struct fx_text lower;
    int result = configure(failure, fs, FSCONFIG_SET_STRING, "source", "overlay", op->at.bytes);
    while (result == 0 && fx_read_text(&items, &lower))
        result = add_lower(failure, fs, lower.bytes, layers);
    if (result < 0 || op->upper.length == 0)
        return result;
    if (layers->user_namespace < 0 && op->upper.length < FSCONFIG_STRING &&
        op->work.length < FSCONFIG_STRING) {
        result = configure(failure, fs, FSCONFIG_SET_STRING, "upperdir", op->upper.bytes,
                           op->upper.bytes);
        if (result == 0)
            result = configure(failure, fs, FSCONFIG_SET_STRING, "workdir", op->work.bytes,
                               op->work.bytes);
    } else {
        result = add_upper(failure, fs, op, layers);
    }
    if (result == 0 && op->without_sync)
        result = configure(failure, fs, FSCONFIG_SET_FLAG, "volatile", NULL, op->at.bytes);
    return result;
}

int make_bind(struct failure *failure, const char *path, uint64_t attributes_set,
              int user_namespace)
{
    int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0)
        return failed(failure, tree, "open_tree", path);
    /* A clone of a shared mount is shared too, which pivot_root(2) refuses. */
    struct mount_attr attributes = { .attr_set = attributes_set, .propagation = MS_PRIVATE };
    if (user_namespace >= 0) {
        attributes.attr_set |= MOUNT_ATTR_IDMAP;
        attributes.userns_fd = (uint64_t)user_namespace;
    }
    int result = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attributes);
    if (result >= 0)
        return tree;
    sys_close(tree);
    return failed(failure, result, "mount_setattr", path);
}

/* The kernel refuses an overlay of one layer; read-only, the layer itself looks the same. */
static int clone_layer(struct failure *failure, const struct fx_root_overlay *op,
                       int user_namespace)
{
    struct fx_reader items = op->lower.items;
    struct fx_text lower = { "", 0 };
    fx_read_text(&items, &lower);
    return make_bind(failure, lower.bytes, MOUNT_ATTR_RDONLY, user_namespace);
}

int make_overlay(struct failure *failure, const struct fx_root_overlay *op, int user_namespace)
{
    struct layers layers;
    if (op->upper.length == 0 && op->lower.count == 1)
        return clone_layer(failure, op, user_namespace);
    CLOSED int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
    if (fs < 0)
        return failed(failure, fs, "fsopen", "overlay");
    layers.user_namespace = user_namespace;
    layers.count = 0;
    int result = configure_overlay(failure, fs, op, &layers);
    if (result == 0)
        result = configure(failure, fs, FSCONFIG_CMD_CREATE, NULL, NULL, op->at.bytes);
    close_layers(&layers);
    /* An unknown option, perhaps: kernels before 6.7 say so as late as at the creation. */
    if (result == -EINVAL && text_equal(failure->syscall, "fsconfig"))
        return -ENOSYS;
    if (result < 0)
        return result;
    int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
    return mount < 0 ? failed(failure, mount, "fsmount", op->at.bytes) : mount;
}
