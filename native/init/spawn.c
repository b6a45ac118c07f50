/*
 * Makes the container's process: its pipes, the namespaces it is born into, and the maps of its
 * user namespace.
 */
#include "child.h"
#include "overlay.h"
#include "processstat.h"
#include "report.h"
#include "supervisor.h"

/*
 * A pipe whose `ours` end does not block; the container's stays as programs expect it. In a user
 * namespace the pipe belongs to its root.
 */
static int make_pipe(struct supervisor *supervisor, int ours, int ends[2])
{
    int result = sys_pipe2(ends, O_CLOEXEC);
    if (result >= 0)
        result =
            (int)sys_fcntl(ends[ours], F_SETFL, O_NONBLOCK | (ours == 1 ? O_WRONLY : O_RDONLY));
    if (result < 0)
        return failed(&supervisor->failure, result, "pipe2", "");
    if (supervisor->start.uid_map.length > 0)
        sys_fchownat(ends[ours], "", supervisor->start.outside_uid, supervisor->start.outside_gid,
                     AT_EMPTY_PATH);
    return 0;
}

/* `theirs` becomes the container's fds 0 to 2; −1: it keeps /dev/null. */
static int make_streams(struct supervisor *supervisor, int theirs[3])
{
    theirs[0] = theirs[1] = theirs[2] = -1;
    bool has_input = supervisor->start.stdin != FX_STDIN_NULL;
    if (supervisor->start.terminal) {
        supervisor->input_expected = has_input;
        return 0;
    }
    int ends[2];
    if (has_input) {
        int result = make_pipe(supervisor, 1, ends);
        if (result < 0)
            return result;
        theirs[0] = ends[0];
        supervisor->input = ends[1];
    }
    for (unsigned stream = 0; stream < 2; stream++) {
        int result = make_pipe(supervisor, 0, ends);
        if (result < 0)
            return result;
        theirs[stream + 1] = ends[1];
        supervisor->outputs[stream] = ends[0];
    }
    return 0;
}

/* Children of the supervisor are born in this pid namespace from now on. */
static int enter_pid_namespace(struct supervisor *supervisor)
{
    const struct fx_start *start = &supervisor->start;
    const char *path = start->pid_namespace_path.bytes;
    if (*path == 0 && start->pid_namespace_pid == 0)
        return 0;
    CLOSED int fd = *path ? sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)
                          : open_process(&supervisor->failure, start->pid_namespace_pid,
                                         start->pid_namespace_start_time);
    if (fd < 0)
        return *path ? failed(&supervisor->failure, fd, "openat", path) : fd;
    int result = sys_setns(fd, CLONE_NEWPID);
    return result < 0
               ? failed(&supervisor->failure, result, "setns", *path ? path : "the process to join")
               : 0;
}

/* The child's ends of what it shares with the supervisor. */
struct birth {
    int report;
    int theirs[3];
};

/* What the child gets is opened before the clone, by the host's root and in its pid namespace. */
static void prepare_child(struct supervisor *supervisor, struct child *child)
{
    child->start = &supervisor->start;
    child->program = supervisor->program;
    child->program_count = supervisor->program_count;
    child->bytes = supervisor->bytes;
    child->bytes_length = supervisor->bytes_length;
    child->root = child->overlay = child->terminal = child->empty_directory = child->parent.fd =
        -1;
    open_processes(child, supervisor->program);
    /* Its own root could not enter every directory on the way to the source of a bind mount. */
    if (supervisor->start.namespaces & CLONE_NEWUSER)
        open_trees(child, supervisor->program);
}

/* The supervisor's copies, after the clone. */
static void close_prepared(const struct child *child)
{
    for (unsigned at = 0; at < child->process_count; at++)
        sys_close(child->processes[at].pidfd);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (child->slots[slot] != 0)
            sys_close(child->slots[slot] - 1);
}

__attribute__((noreturn)) static void become_child(struct child *child, const struct birth *birth)
{
    child->report = birth->report;
    for (int fd = 0; fd < 3; fd++)
        if (birth->theirs[fd] >= 0)
            sys_dup3(birth->theirs[fd], fd, 0);
    run_child(child);
}

static int proc_file(struct supervisor *supervisor, const char *name, struct fx_text value)
{
    char path[48];
    struct buffer text = { path, 0, sizeof path, false };
    put_text(&text, "/proc/");
    put_number(&text, supervisor->status.init_pid);
    put_byte(&text, '/');
    put_text(&text, name);
    put_end(&text);
    if (value.bytes == NULL) {
        int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
        return fd < 0 ? failed(&supervisor->failure, fd, "openat", name) : fd;
    }
    int result =
        value.length == 0 ? 0 : write_file(&supervisor->failure, path, value.bytes, value.length);
    if (result < 0)
        supervisor->failure.path = name;
    return result;
}

/*
 * The root mount of a container with a user namespace is made here, by the host's root, so that an
 * overlay may read every attribute of the layers; that works with the ids of the container's root,
 * which have a place in the mapped layers. 0: the operation makes none.
 */
static int make_root(struct supervisor *supervisor, struct fx_op *op)
{
    struct fx_root_overlay overlay;
    struct fx_root_bind bind;
    bool is_overlay =
        op->opcode == FX_OP_ROOT_OVERLAY && read_fx_root_overlay(&op->fields, &overlay);
    if (!is_overlay && (op->opcode != FX_OP_ROOT_BIND || !read_fx_root_bind(&op->fields, &bind)))
        return 0;
    CLOSED int namespace = proc_file(supervisor, "ns/user", (struct fx_text){ NULL, 0 });
    if (namespace < 0)
        return namespace;
    if (!is_overlay)
        return make_bind(&supervisor->failure, bind.source.bytes, 0, namespace);
    sys_prctl(PR_SET_SECUREBITS,
              1 << 2 /* SECBIT_NO_SETUID_FIXUP of linux/securebits.h: keep the capabilities */, 0);
    SYSCALL1(setfsgid, supervisor->start.outside_gid);
    SYSCALL1(setfsuid, supervisor->start.outside_uid);
    int mount = make_mapped_overlay(&supervisor->failure, &overlay, namespace);
    SYSCALL1(setfsuid, 0);
    SYSCALL1(setfsgid, 0);
    sys_prctl(PR_SET_SECUREBITS, 0, 0);
    return mount;
}

/*
 * Writes the maps and lets the child go on; the index of the operation that failed is left in
 * `*operation`.
 */
static int map_user_namespace(struct supervisor *supervisor, int32_t *operation)
{
    int result = proc_file(supervisor, "gid_map", supervisor->start.gid_map);
    if (result == 0)
        result = proc_file(supervisor, "uid_map", supervisor->start.uid_map);
    if (result < 0)
        return result;
    struct fx_reader program = supervisor->program;
    struct fx_op op;
    CLOSED int mount = -1;
    for (int32_t index = 0; mount <= 0 && fx_read_op(&program, &op); index++) {
        mount = make_root(supervisor, &op);
        if (mount != 0)
            *operation = index;
        if (mount < 0)
            return mount;
    }
    if (mount == 0)
        mount = -1;
    result = send_with_fd(supervisor->report, "+", 1, mount);
    return result < 0 ? failed(&supervisor->failure, result, "sendmsg", "user namespace") : 0;
}

static void after_clone(struct supervisor *supervisor, const struct birth *birth,
                        const struct child *child)
{
    struct status *status = &supervisor->status;
    for (int fd = 0; fd < 3; fd++)
        if (birth->theirs[fd] >= 0)
            sys_close(birth->theirs[fd]);
    close_prepared(child);
    watch(supervisor, supervisor->report, SOURCE_REPORT, EPOLLIN);
    watch(supervisor, supervisor->pidfd, SOURCE_INIT, EPOLLIN);
    if (supervisor->start.namespaces & CLONE_NEWUSER) {
        int32_t operation = -1;
        if (map_user_namespace(supervisor, &operation) < 0) {
            /* The child waits for the word to go on; its own failure is not told over this one. */
            const struct failure *failure = &supervisor->failure;
            sys_kill((int)status->init_pid, SIGKILL);
            fail_child(supervisor, operation, failure->error, failure->syscall, failure->path);
        }
    }
    status->init_start = process_stat(status->init_pid, STAT_START_TIME);
    append_status(supervisor->status_file, &supervisor->status_written, status);
}

int spawn(struct supervisor *supervisor)
{
    struct birth birth;
    struct child child = { 0 };
    int pair[2];
    int result = make_streams(supervisor, birth.theirs);
    if (result == 0)
        result = enter_pid_namespace(supervisor);
    if (result < 0)
        return result;
    prepare_child(supervisor, &child);
    CLOSED int cgroup = supervisor->start.cgroup.length == 0
                            ? -1
                            : sys_openat(AT_FDCWD, supervisor->start.cgroup.bytes,
                                         O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (supervisor->start.cgroup.length != 0 && cgroup < 0)
        return failed(&supervisor->failure, cgroup, "openat", supervisor->start.cgroup.bytes);
    result = sys_socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC, pair);
    if (result < 0)
        return failed(&supervisor->failure, result, "socketpair", "");
    struct clone_args arguments = {
        .flags = supervisor->start.namespaces | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)&supervisor->pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)(cgroup >= 0 ? cgroup : 0),
    };
    long pid = sys_clone3(&arguments);
    if (pid == 0) {
        sys_close(pair[0]);
        birth.report = pair[1];
        become_child(&child, &birth);
    }
    sys_close(pair[1]);
    supervisor->report = pair[0];
    if (pid < 0)
        return failed(&supervisor->failure, (int)pid, "clone3", supervisor->start.cgroup.bytes);
    supervisor->status.init_pid = (uint32_t)pid;
    after_clone(supervisor, &birth, &child);
    return 0;
}
