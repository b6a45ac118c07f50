/* The container's terminal, seen from inside. */
#include "report.h"
#include "resolve.h"

/* include/uapi/linux/magic.h */
#define DEVPTS_SUPER_MAGIC 0x1cd1

int open_terminal(struct child *child, int mount, const char *path)
{
    CLOSED int master = sys_openat(mount, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (master < 0)
        return failed(&child->failure, master, "openat", path);
    int unlocked = 0;
    int result = sys_ioctl(master, TIOCSPTLCK, &unlocked);
    if (result < 0)
        return failed(&child->failure, result, "ioctl", path);
    int terminal = (int)SYSCALL3(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return failed(&child->failure, terminal, "ioctl", path);
    child->terminal = terminal;
    if (child->start->rows != 0 || child->start->columns != 0) {
        struct winsize size = { .ws_row = (uint16_t)child->start->rows,
                                .ws_col = (uint16_t)child->start->columns };
        sys_ioctl(terminal, TIOCSWINSZ, &size);
    }
    struct report report = { .kind = REPORT_TERMINAL };
    result = send_with_fd(child->report, &report, sizeof report, master);
    return result < 0 ? failed(&child->failure, result, "sendmsg", path) : 0;
}

/* For a process that joins a container: a pty of the devpts that is there. */
static int open_existing(struct child *child)
{
    struct statfs filesystem;
    CLOSED int mount = resolve(child, "/dev/pts", O_PATH | O_DIRECTORY, true);
    if (mount < 0)
        return failed(&child->failure, mount, "openat2", "/dev/pts");
    if (sys_fstatfs(mount, &filesystem) < 0 || filesystem.f_type != DEVPTS_SUPER_MAGIC)
        return failed(&child->failure, -ENODEV, "fstatfs", "/dev/pts");
    return open_terminal(child, mount, "/dev/pts/ptmx");
}

static int bind_console(struct child *child)
{
    CLOSED int target = reach(child, "/dev/console", REACH_FILE, 0600, true);
    if (target < 0)
        return target;
    CLOSED int tree =
        sys_open_tree(child->terminal, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree < 0)
        return failed(&child->failure, tree, "open_tree", "/dev/console");
    int result =
        sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    return result < 0 ? failed(&child->failure, result, "move_mount", "/dev/console") : 0;
}

int op_console(struct child *child, const struct fx_console *op)
{
    int result = op->open ? open_existing(child) : 0;
    if (result == 0 && child->terminal < 0)
        result = failed(&child->failure, -ENXIO, "open", "no terminal was opened before");
    if (result == 0 && op->bind_console)
        result = bind_console(child);
    if (result < 0)
        return result;
    result = (int)SYSCALL3(ioctl, child->terminal, TIOCSCTTY, 0);
    if (result < 0)
        return failed(&child->failure, result, "ioctl", "/dev/console");
    for (int fd = 0; fd < 3 && result >= 0; fd++)
        result = sys_dup3(child->terminal, fd, 0);
    return result < 0 ? failed(&child->failure, result, "dup3", "/dev/console") : 0;
}
