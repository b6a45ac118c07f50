/* Operations that place the process: control groups and namespaces. They come before the pivot. */
#include "child.h"
#include "processstat.h"

int write_file(struct failure *failure, const char *path, const char *value, size_t length)
{
    CLOSED int fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return failed(failure, fd, "openat", path);
    long written = sys_write(fd, value, length);
    if (written < 0)
        return failed(failure, (int)written, "write", path);
    return (size_t)written == length ? 0 : failed(failure, -EIO, "write", path);
}

int op_cgroup_attach(struct child *child, const struct fx_cgroup_attach *op)
{
    struct fx_reader items = op->files.items;
    struct fx_text file;
    while (fx_read_text(&items, &file)) {
        int result = write_file(&child->failure, file.bytes, "0", 1);
        if (result < 0)
            return result;
    }
    return 0;
}

int op_namespace_unshare(struct child *child, const struct fx_namespace_unshare *op)
{
    int result = sys_unshare(op->kinds);
    return result < 0 ? failed(&child->failure, result, "unshare", "") : 0;
}

/* A new mount namespace brings another root directory. */
static void forget_root(struct child *child)
{
    if (child->root >= 0)
        sys_close(child->root);
    child->root = -1;
}

static int join(struct child *child, int fd, uint32_t kinds, const char *path)
{
    int result = sys_setns(fd, kinds);
    if (result < 0)
        return failed(&child->failure, result, "setns", path);
    if (kinds & CLONE_NEWNS)
        forget_root(child);
    return kinds & CLONE_NEWUSER ? become_namespace_root(child) : 0;
}

int op_namespace_join(struct child *child, const struct fx_namespace_join *op)
{
    CLOSED int fd = sys_openat(AT_FDCWD, op->path.bytes, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return failed(&child->failure, fd, "openat", op->path.bytes);
    return join(child, fd, op->kind, op->path.bytes);
}

int open_process(struct failure *failure, uint32_t pid, uint64_t start_time)
{
    /*
     * The pidfd first: it names one process for good, and the start time then tells if it is the
     * right one.
     */
    int pidfd = sys_pidfd_open((int)pid);
    if (pidfd < 0)
        return failed(failure, pidfd, "pidfd_open", "the process to join");
    if (process_stat(pid, STAT_START_TIME) == start_time)
        return pidfd;
    sys_close(pidfd);
    return failed(failure, -ESRCH, "pidfd_open", "the process to join");
}

static void remember_process(struct child *child, uint32_t pid, uint64_t start_time)
{
    struct failure ignored;
    if (child->process_count == PROCESS_COUNT)
        return;
    int pidfd = open_process(&ignored, pid, start_time);
    if (pidfd >= 0)
        child->processes[child->process_count++] =
            (struct opened_process){ pid, start_time, pidfd };
}

void open_processes(struct child *child, struct fx_reader program)
{
    struct fx_op op;
    while (fx_read_op(&program, &op)) {
        struct fx_namespace_enter enter;
        struct fx_tree_open tree;
        if (op.opcode == FX_OP_NAMESPACE_ENTER && read_fx_namespace_enter(&op.fields, &enter))
            remember_process(child, enter.pid, enter.start_time);
        else if (op.opcode == FX_OP_TREE_OPEN && read_fx_tree_open(&op.fields, &tree) &&
                 tree.within_pid != 0)
            remember_process(child, tree.within_pid, tree.within_start_time);
    }
}

int find_process(struct child *child, uint32_t pid, uint64_t start_time)
{
    for (unsigned at = 0; at < child->process_count; at++)
        if (child->processes[at].pid == pid && child->processes[at].start_time == start_time)
            return child->processes[at].pidfd;
    return failed(&child->failure, -ESRCH, "pidfd_open", "the process to join");
}

int op_namespace_enter(struct child *child, const struct fx_namespace_enter *op)
{
    int pidfd = find_process(child, op->pid, op->start_time);
    return pidfd < 0 ? pidfd : join(child, pidfd, op->kinds, "the process to join");
}

int op_time_namespace(struct child *child, const struct fx_time_namespace *op)
{
    int result = sys_unshare(CLONE_NEWTIME);
    if (result < 0)
        return failed(&child->failure, result, "unshare", "time");
    if (op->offsets.length > 0)
        result = write_file(&child->failure, "/proc/self/timens_offsets", op->offsets.bytes,
                            op->offsets.length);
    if (result < 0)
        return result;
    static const char path[] = "/proc/self/ns/time_for_children";
    CLOSED int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return failed(&child->failure, fd, "openat", path);
    return join(child, fd, CLONE_NEWTIME, path);
}
