/* Operations that make directories, links and device nodes inside the root. */
#include "resolve.h"

int op_dir_make(struct child *child, const struct fx_dir_make *op)
{
    CLOSED int fd = reach(child, op->path.bytes, REACH_DIRECTORY, op->mode & 07777, false);
    return fd < 0 ? fd : 0;
}

int op_symlink_make(struct child *child, const struct fx_symlink_make *op)
{
    const char *name;
    int directory = reach_parent(child, op->path.bytes, &name);
    if (directory < 0)
        return directory;
    /* What the image brought at this place is kept. */
    int result = sys_symlinkat(op->target.bytes, directory, name);
    return result < 0 && result != -EEXIST
               ? failed(&child->failure, result, "symlinkat", op->path.bytes)
               : 0;
}

/* The encoding of mknod(2): new_encode_dev of include/linux/kdev_t.h. */
static unsigned encode_device(uint32_t major, uint32_t minor)
{
    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

int op_node_make(struct child *child, const struct fx_node_make *op)
{
    const char *name;
    int directory = reach_parent(child, op->path.bytes, &name);
    if (directory < 0)
        return directory;
    unsigned mode = op->type | (op->mode & 07777), device = encode_device(op->major, op->minor);
    int result = sys_mknodat(directory, name, mode, device);
    if (result == -EEXIST) {
        result = sys_unlinkat(directory, name, 0);
        if (result < 0)
            return failed(&child->failure, result, "unlinkat", op->path.bytes);
        result = sys_mknodat(directory, name, mode, device);
    }
    if (result < 0)
        return failed(&child->failure, result, "mknodat", op->path.bytes);
    if (op->uid == 0 && op->gid == 0)
        return 0;
    result = sys_fchownat(directory, name, op->uid, op->gid, AT_SYMLINK_NOFOLLOW);
    return result < 0 ? failed(&child->failure, result, "fchownat", op->path.bytes) : 0;
}
