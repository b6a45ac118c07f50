/* Operations on the tree that becomes the container's root, and the pivot into it. */
#include "child.h"
#include "overlay.h"
#include "resolve.h"

int op_mount_propagation(struct child *child, const struct fx_mount_propagation *op)
{
    int result = sys_mount(NULL, op->path.bytes, NULL, op->propagation, NULL);
    return result < 0 ? failed(&child->failure, result, "mount", op->path.bytes) : 0;
}

static int clone_tree(struct failure *failure, int at, const char *path,
                      const struct fx_tree_open *op)
{
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? AT_RECURSIVE : 0);
    int tree = sys_open_tree(at, path, at == AT_FDCWD ? flags : flags | AT_EMPTY_PATH);
    return tree < 0 ? failed(failure, tree, "open_tree", op->source.bytes) : tree;
}

/*
 * In the mount namespace of another container its links count, but they may not leave it. The root
 * directory is that namespace's for as long as it is entered.
 */
static int clone_entered_tree(struct failure *failure, const struct fx_tree_open *op)
{
    CLOSED int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    CLOSED int source = root < 0 ? root : sys_openat2(root, op->source.bytes, &how);
    return source < 0 ? failed(failure, source, "openat2", op->source.bytes)
                      : clone_tree(failure, source, "", op);
}

static int clone_tree_within(struct child *child, const struct fx_tree_open *op)
{
    static const char own_path[] = "/proc/self/ns/mnt";
    int process = find_process(child, op->within_pid, op->within_start_time);
    if (process < 0)
        return process;
    CLOSED int own = sys_openat(AT_FDCWD, own_path, O_RDONLY | O_CLOEXEC, 0);
    if (own < 0)
        return failed(&child->failure, own, "openat", own_path);
    int result = sys_setns(process, CLONE_NEWNS);
    if (result < 0)
        return failed(&child->failure, result, "setns", "the process to join");
    int tree = clone_entered_tree(&child->failure, op);
    result = sys_setns(own, CLONE_NEWNS);
    if (result >= 0)
        return tree;
    if (tree >= 0)
        sys_close(tree);
    return failed(&child->failure, result, "setns", own_path);
}

int op_tree_open(struct child *child, const struct fx_tree_open *op)
{
    if (op->slot >= SLOT_COUNT)
        return failed(&child->failure, -EINVAL, "open_tree", op->source.bytes);
    /* In a user namespace the supervisor has opened it, if it could. */
    if (child->slots[op->slot] != 0)
        return 0;
    int tree = op->within_pid != 0 ? clone_tree_within(child, op)
                                   : clone_tree(&child->failure, AT_FDCWD, op->source.bytes, op);
    if (tree < 0)
        return tree;
    child->slots[op->slot] = (uint16_t)(tree + 1);
    return 0;
}

void open_trees(struct child *child, struct fx_reader program)
{
    struct fx_op op;
    while (fx_read_op(&program, &op)) {
        struct fx_tree_open tree;
        if (op.opcode == FX_OP_TREE_OPEN && read_fx_tree_open(&op.fields, &tree))
            op_tree_open(child, &tree);
    }
}

int op_root_overlay(struct child *child, const struct fx_root_overlay *op)
{
    CLOSED int mount = child->overlay >= 0 ? child->overlay : make_overlay(&child->failure, op, -1);
    child->overlay = -1;
    if (mount == -ENOSYS) {
        struct failure first = child->failure;
        int old = mount_overlay_old(&child->failure, op);
        /* Refused either way: then the first refusal says more. */
        if (old == -EINVAL)
            child->failure = first;
        return old;
    }
    if (mount < 0)
        return mount;
    int result = sys_move_mount(mount, "", AT_FDCWD, op->at.bytes,
                                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
    return result < 0 ? failed(&child->failure, result, "move_mount", op->at.bytes) : 0;
}

int op_root_bind(struct child *child, const struct fx_root_bind *op)
{
    CLOSED int mount = child->overlay >= 0
                           ? child->overlay
                           : make_bind(&child->failure, op->source.bytes, 0, -1);
    child->overlay = -1;
    if (mount < 0)
        return mount;
    int result = sys_move_mount(mount, "", AT_FDCWD, op->at.bytes,
                                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
    return result < 0 ? failed(&child->failure, result, "move_mount", op->at.bytes) : 0;
}

int op_pivot_root(struct child *child, const struct fx_pivot_root *op)
{
    int result = prepare_filesystems(child);
    if (result < 0)
        return result;
    result = sys_chdir(op->at.bytes);
    if (result < 0)
        return failed(&child->failure, result, "chdir", op->at.bytes);
    /* The old root lands on top of the new one, where "." then finds it: pivot_root(2), NOTES. */
    result = sys_pivot_root(".", ".");
    if (result < 0)
        return failed(&child->failure, result, "pivot_root", op->at.bytes);
    result = sys_umount2(".", MNT_DETACH);
    if (result < 0)
        return failed(&child->failure, result, "umount2", ".");
    result = sys_chdir("/");
    if (result < 0)
        return failed(&child->failure, result, "chdir", "/");
    if (child->root >= 0)
        sys_close(child->root);
    child->root = -1;
    return 0;
}

int op_mount_attributes(struct child *child, const struct fx_mount_attributes *op)
{
    CLOSED int mount = resolve(child, op->path.bytes, O_PATH | O_DIRECTORY, true);
    if (mount < 0)
        return failed(&child->failure, mount, "openat2", op->path.bytes);
    return set_attributes(&child->failure, mount, op->attributes_set, op->attributes_clear,
                          op->attributes_recursive, op->propagation, op->path.bytes);
}
