/* Operations that bind: trees opened on the host, masks, read-only paths. All move mounts by fd. */
#include "resolve.h"

int attach_mount(struct child *child, int mount, int target, const char *path)
{
    int result =
        sys_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    return result < 0 ? failed(&child->failure, result, "move_mount", path) : 0;
}

int set_attributes(struct failure *failure, int mount, uint32_t set, uint32_t clear, bool recursive,
                   uint32_t propagation, const char *path)
{
    struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };
    struct mount_attr sharing = { .propagation = propagation & ~(uint32_t)MS_REC };
    unsigned deep = recursive ? AT_RECURSIVE : 0,
             sharing_deep = propagation & MS_REC ? AT_RECURSIVE : 0;
    int result = 0;
    if (set != 0 || clear != 0) {
        if (deep == sharing_deep) {
            attributes.propagation = sharing.propagation;
            sharing.propagation = 0;
        }
        result = sys_mount_setattr(mount, "", AT_EMPTY_PATH | deep, &attributes);
    }
    if (result == 0 && sharing.propagation != 0)
        result = sys_mount_setattr(mount, "", AT_EMPTY_PATH | sharing_deep, &sharing);
    return result < 0 ? failed(failure, result, "mount_setattr", path) : 0;
}

/* Type and device numbers of an open file; the mode is 0 when it cannot be asked. */
static struct statx status_of(int fd)
{
    struct statx status;
    if (sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &status) < 0)
        status.stx_mode = 0;
    return status;
}

int op_mount_tree(struct child *child, const struct fx_mount_tree *op)
{
    int tree = op->slot < SLOT_COUNT ? (int)child->slots[op->slot] - 1 : -1;
    if (tree < 0)
        return failed(&child->failure, -EBADF, "move_mount", op->target.bytes);
    bool directory = (status_of(tree).stx_mode & S_IFMT) == S_IFDIR;
    int result = set_attributes(&child->failure, tree, op->attributes_set, op->attributes_clear,
                                op->attributes_recursive, op->propagation, op->target.bytes);
    if (result < 0)
        return result;
    CLOSED int target = reach(child, op->target.bytes, directory ? REACH_DIRECTORY : REACH_FILE,
                              directory ? 0755 : 0644, false);
    if (target < 0)
        return target;
    result = attach_mount(child, tree, target, op->target.bytes);
    sys_close(tree);
    child->slots[op->slot] = 0;
    return result;
}

/* A read-only file system that holds nothing, not attached. */
static int make_empty(struct child *child)
{
    CLOSED int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (fs < 0)
        return failed(&child->failure, fs, "fsopen", "tmpfs");
    sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "tmpfs");
    sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555");
    sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1");
    int result = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL);
    if (result == 0)
        result = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
    if (result < 0)
        return failed(&child->failure, result, "fsconfig", "tmpfs");
    int mount =
        sys_fsmount(fs, FSMOUNT_CLOEXEC,
                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    return mount < 0 ? failed(&child->failure, mount, "fsmount", "tmpfs") : mount;
}

/* The first mask is the new file system itself; once attached it can be cloned for the others. */
static int mask_directory(struct child *child, int target, const char *path)
{
    if (child->empty_directory < 0) {
        child->empty_directory = make_empty(child);
        return child->empty_directory < 0
                   ? child->empty_directory
                   : attach_mount(child, child->empty_directory, target, path);
    }
    CLOSED int copy = sys_open_tree(child->empty_directory, "",
                                    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    return copy < 0 ? failed(&child->failure, copy, "open_tree", path)
                    : attach_mount(child, copy, target, path);
}

/* The container's own /dev/null, if it is that and nothing that the image put in its place. */
static int open_null(struct child *child)
{
    int null = resolve(child, "/dev/null", O_PATH | O_NOFOLLOW, true);
    if (null < 0)
        return failed(&child->failure, null, "openat2", "/dev/null");
    struct statx status = status_of(null);
    if ((status.stx_mode & S_IFMT) == S_IFCHR && status.stx_rdev_major == 1 &&
        status.stx_rdev_minor == 3)
        return null;
    sys_close(null);
    return failed(&child->failure, -ENODEV, "openat2", "/dev/null");
}

/* `*null` is opened for the first file. */
static int mask_file(struct child *child, int *null, int target, const char *path)
{
    if (*null < 0)
        *null = open_null(child);
    if (*null < 0)
        return *null;
    CLOSED int copy = sys_open_tree(*null, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    return copy < 0 ? failed(&child->failure, copy, "open_tree", "/dev/null")
                    : attach_mount(child, copy, target, path);
}

int op_mask_paths(struct child *child, const struct fx_mask_paths *op)
{
    struct fx_reader items = op->paths.items;
    struct fx_text path;
    CLOSED int null = -1;
    while (fx_read_text(&items, &path)) {
        CLOSED int target = resolve(child, path.bytes, O_PATH, false);
        if (target == -ENOENT || target == -ENOTDIR)
            continue;
        if (target < 0)
            return failed(&child->failure, target, "openat2", path.bytes);
        bool directory = (status_of(target).stx_mode & S_IFMT) == S_IFDIR;
        int result = directory ? mask_directory(child, target, path.bytes)
                               : mask_file(child, &null, target, path.bytes);
        if (result < 0)
            return result;
    }
    return 0;
}

int op_readonly_paths(struct child *child, const struct fx_readonly_paths *op)
{
    struct fx_reader items = op->paths.items;
    struct fx_text path;
    while (fx_read_text(&items, &path)) {
        CLOSED int target = resolve(child, path.bytes, O_PATH, false);
        if (target == -ENOENT || target == -ENOTDIR)
            continue;
        if (target < 0)
            return failed(&child->failure, target, "openat2", path.bytes);
        CLOSED int tree = sys_open_tree(
            target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
        if (tree < 0)
            return failed(&child->failure, tree, "open_tree", path.bytes);
        int result =
            set_attributes(&child->failure, tree, MOUNT_ATTR_RDONLY, 0, true, 0, path.bytes);
        if (result == 0)
            result = attach_mount(child, tree, target, path.bytes);
        if (result < 0)
            return result;
    }
    return 0;
}
