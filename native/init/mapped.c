/*
 * Id-mapped layers for kernels before 6.15: a short-lived process with a mount namespace of its own
 * mounts each layer, mapped, over its own directory, makes the overlay from there and hands its
 * mount over.
 */
#include "overlay.h"
#include "report.h"
#include "syscall.h"
#include "text.h"

/* Covers a directory with a mapped copy of itself. */
static int cover(struct failure *failure, const char *path, int user_namespace)
{
    CLOSED int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0)
        return failed(failure, tree, "open_tree", path);
    struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP,
                                     .userns_fd = (uint64_t)user_namespace };
    int result = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attributes);
    if (result < 0)
        return failed(failure, result, "mount_setattr", path);
    result =
        sys_move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
    return result < 0 ? failed(failure, result, "move_mount", path) : 0;
}

/* The parent of upper and work first: layers may lie below it. */
static int cover_all(struct failure *failure, const struct fx_root_overlay *op, int user_namespace)
{
    static char parent[4096];
    struct fx_reader layers = op->lower.items;
    struct fx_text lower;
    size_t length = name_offset(op->upper.bytes);
    int result = 0;
    if (length > 1 && length <= sizeof parent) {
        memcpy(parent, op->upper.bytes, length - 1);
        result = cover(failure, parent, user_namespace);
    }
    while (result == 0 && fx_read_text(&layers, &lower))
        result = cover(failure, lower.bytes, user_namespace);
    return result;
}

/* In the short-lived process: the overlay's mount, attached to nothing. */
static int make_covered(struct failure *failure, const struct fx_root_overlay *op,
                        int user_namespace)
{
    int result = sys_unshare(CLONE_NEWNS);
    if (result < 0)
        return failed(failure, result, "unshare", "mnt");
    result = sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    if (result < 0)
        return failed(failure, result, "mount", "/");
    result = cover_all(failure, op, user_namespace);
    if (result < 0)
        return result;
    int mount = make_overlay(failure, op, -1);
    if (mount != -ENOSYS)
        return mount;
    result = mount_overlay_old(failure, op);
    if (result < 0)
        return result;
    mount = sys_open_tree(AT_FDCWD, op->at.bytes, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return mount < 0 ? failed(failure, mount, "open_tree", op->at.bytes) : mount;
}

/*
 * What passes is the failure itself: both processes have the specification and the literals at the
 * same addresses.
 */
static int make_apart(struct failure *failure, const struct fx_root_overlay *op, int user_namespace)
{
    int pair[2], mount = -1, status;
    int result = sys_socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC, pair);
    if (result < 0)
        return failed(failure, result, "socketpair", "");
    long pid = sys_fork();
    if (pid == 0) {
        mount = make_covered(failure, op, user_namespace);
        send_with_fd(pair[1], failure, sizeof *failure, mount);
        sys_exit(0);
    }
    sys_close(pair[1]);
    CLOSED int ours = pair[0];
    if (pid < 0)
        return failed(failure, (int)pid, "clone", "");
    long received = receive_with_fd(ours, failure, sizeof *failure, 0, &mount);
    while (sys_wait4((int)pid, &status, 0) == -EINTR)
        ;
    if (received != (long)sizeof *failure)
        return failed(failure, -ECHILD, "clone", "");
    return mount >= 0 ? mount : failure->error;
}

int make_mapped_overlay(struct failure *failure, const struct fx_root_overlay *op,
                        int user_namespace)
{
    int mount = make_overlay(failure, op, user_namespace);
    return mount == -ENOSYS ? make_apart(failure, op, user_namespace) : mount;
}
