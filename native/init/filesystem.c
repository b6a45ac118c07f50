/* Operations that make a file system by fsopen(2) and put it into the root. */
#include "resolve.h"

/* "TARGET (KEY=VALUE)" for a refused option. */
static const char *describe(const char *target, const struct fx_option *option)
{
    struct buffer text = { child_scratch, 0, sizeof child_scratch, false };
    put_text(&text, target);
    put_text(&text, " (");
    put_text(&text, option->key.bytes);
    if (option->value.bytes != NULL) {
        put_byte(&text, '=');
        put_text(&text, option->value.bytes);
    }
    put_byte(&text, ')');
    return put_end(&text);
}

static int configure_options(struct child *child, int fs, const struct fx_list *options,
                             const char *target)
{
    struct fx_reader items = options->items;
    struct fx_option option;
    while (fx_read_option(&items, &option)) {
        unsigned command = option.value.bytes == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
        int result = sys_fsconfig(fs, command, option.key.bytes, option.value.bytes);
        if (result < 0)
            return failed(&child->failure, result, "fsconfig", describe(target, &option));
    }
    return 0;
}

int make_filesystem(struct child *child, const char *type, const char *source,
                    const struct fx_list *options, unsigned attributes, const char *target)
{
    CLOSED int fs = sys_fsopen(type, FSOPEN_CLOEXEC);
    if (fs < 0)
        return failed(&child->failure, fs, "fsopen", type);
    int result = *source ? sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", source) : 0;
    if (result < 0)
        return failed(&child->failure, result, "fsconfig", source);
    result = configure_options(child, fs, options, target);
    if (result < 0)
        return result;
    result = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
    if (result < 0)
        return failed(&child->failure, result, "fsconfig", target);
    int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, attributes);
    return mount < 0 ? failed(&child->failure, mount, "fsmount", target) : mount;
}

/* What is copied into must be writable first. */
static uint32_t first_attributes(const struct fx_mount_filesystem *op)
{
    return op->copy_up ? op->attributes_set & ~(uint32_t)MOUNT_ATTR_RDONLY : op->attributes_set;
}

static int make_of(struct child *child, const struct fx_mount_filesystem *op)
{
    return make_filesystem(child, op->type.bytes, op->source.bytes, &op->options,
                           first_attributes(op), op->target.bytes);
}

int prepare_filesystems(struct child *child)
{
    if (!(child->start->namespaces & CLONE_NEWUSER))
        return 0;
    struct fx_reader rest = child->program;
    struct fx_op op;
    for (uint32_t index = child->operation + 1; fx_read_op(&rest, &op); index++) {
        struct fx_mount_filesystem wanted;
        if (op.opcode != FX_OP_MOUNT_FILESYSTEM || !read_fx_mount_filesystem(&op.fields, &wanted))
            continue;
        if (!text_equal(wanted.type.bytes, "proc") && !text_equal(wanted.type.bytes, "sysfs"))
            continue;
        if (child->prepared_count == PREPARED_COUNT)
            break;
        int mount = make_of(child, &wanted);
        if (mount < 0)
            return mount;
        child->prepared[child->prepared_count].operation = index;
        child->prepared[child->prepared_count++].mount = mount;
    }
    return 0;
}

/* The mount made before the pivot, else a new one. */
static int take_filesystem(struct child *child, const struct fx_mount_filesystem *op)
{
    for (unsigned at = 0; at < child->prepared_count; at++)
        if (child->prepared[at].operation == child->operation)
            return child->prepared[at].mount;
    return make_of(child, op);
}

static bool has_option(const struct fx_list *options, const char *key)
{
    struct fx_reader items = options->items;
    struct fx_option option;
    while (fx_read_option(&items, &option))
        if (text_equal(option.key.bytes, key))
            return true;
    return false;
}

/*
 * Gives the new root the mode and owner of the directory it hides, but for those an option has set.
 */
static int copy_up(struct child *child, const struct fx_mount_filesystem *op, int target, int mount)
{
    struct statx status;
    int result = sys_statx(target, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status);
    if (result < 0)
        return failed(&child->failure, result, "statx", op->target.bytes);
    unsigned uid = has_option(&op->options, "uid") ? ~0u : status.stx_uid;
    unsigned gid = has_option(&op->options, "gid") ? ~0u : status.stx_gid;
    result = sys_fchownat(mount, ".", uid, gid, 0);
    if (result < 0)
        return failed(&child->failure, result, "fchownat", op->target.bytes);
    if (!has_option(&op->options, "mode"))
        result = sys_fchmodat(mount, ".", status.stx_mode & 07777);
    if (result < 0)
        return failed(&child->failure, result, "fchmodat", op->target.bytes);
    result = copy_tree(child, target, mount, &status, op->target.bytes);
    return result < 0 || first_attributes(op) == op->attributes_set
               ? result
               : set_attributes(&child->failure, mount, MOUNT_ATTR_RDONLY, 0, false, 0,
                                op->target.bytes);
}

int op_mount_filesystem(struct child *child, const struct fx_mount_filesystem *op)
{
    CLOSED int target = reach(child, op->target.bytes, REACH_DIRECTORY, 0755, op->strict);
    if (target < 0)
        return target;
    CLOSED int mount = take_filesystem(child, op);
    if (mount < 0)
        return mount;
    int result = op->copy_up ? copy_up(child, op, target, mount) : 0;
    return result < 0 ? result : attach_mount(child, mount, target, op->target.bytes);
}

int op_mount_devpts(struct child *child, const struct fx_mount_devpts *op)
{
    CLOSED int target = reach(child, op->target.bytes, REACH_DIRECTORY, 0755, true);
    if (target < 0)
        return target;
    CLOSED int mount = make_filesystem(child, "devpts", "devpts", &op->options,
                                       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, op->target.bytes);
    if (mount < 0)
        return mount;
    int result = op->console ? open_terminal(child, mount, op->target.bytes) : 0;
    return result < 0 ? result : attach_mount(child, mount, target, op->target.bytes);
}
