/* Runs the program between clone and exec, and tells the supervisor what failed. */
#include "child.h"
#include "report.h"

/* What a failed start exits with; nobody reads it, the report counts. */
#define FAILED_START 127

char child_scratch[PATH_LIMIT];

static void put_truncated(char *into, size_t capacity, const char *text)
{
    struct buffer buffer = { into, 0, capacity, false };
    put_text(&buffer, text);
    put_end(&buffer);
}

void report_failure(struct child *child, uint32_t index)
{
    struct report report = { .kind = REPORT_FAILURE,
                             .operation = (int32_t)index,
                             .error = child->failure.error };
    put_truncated(report.syscall, sizeof report.syscall, child->failure.syscall);
    put_truncated(report.path, sizeof report.path, child->failure.path);
    sys_write(child->report, &report, sizeof report);
}

/* In a user namespace, waits until it is mapped and takes the root's mount. */
static int await_mapping(struct child *child)
{
    char go;
    long received = receive_with_fd(child->report, &go, 1, 0, &child->overlay);
    if (received > 0)
        return 0;
    return failed(&child->failure, received < 0 ? (int)received : -ECANCELED, "recvmsg",
                  "user namespace");
}

/* These write files that belong to the host's root, and need no mapping. */
static bool needs_no_mapping(uint32_t opcode)
{
    return opcode == FX_OP_CGROUP_ATTACH || opcode == FX_OP_OOM_SCORE_ADJUST;
}

/*
 * Operations up to the pivot walk host directories that only the host's root may enter. Until then
 * the process keeps that id, without the host's capabilities.
 */
static bool is_outside(uint32_t opcode)
{
    return opcode <= FX_OP_PIVOT_ROOT || opcode == FX_OP_ROOT_BIND || opcode == FX_OP_LOOPBACK_UP;
}

/* What a new user namespace asks for between operations. */
static int enter_user_namespace(struct child *child, uint32_t opcode, bool *mapped, bool *entered)
{
    int result = 0;
    if (!*mapped && !needs_no_mapping(opcode)) {
        *mapped = true;
        result = await_mapping(child);
    }
    if (result == 0 && !*entered && !is_outside(opcode)) {
        *entered = true;
        result = become_namespace_root(child);
        /*
         * Else the files of /proc/self would belong to the host's root: proc(5). Nobody else is in
         * here yet.
         */
        sys_prctl(PR_SET_DUMPABLE, 1, 0);
    }
    return result;
}

void run_child(struct child *child)
{
    bool mapped = !(child->start->namespaces & CLONE_NEWUSER), entered = mapped;
    struct fx_op op;
    sys_setsid();
    sys_umask(0);
    for (child->operation = 0; fx_read_op(&child->program, &op); child->operation++) {
        int result = enter_user_namespace(child, op.opcode, &mapped, &entered);
        if (result == 0)
            result = perform(child, &op);
        if (result < 0) {
            report_failure(child, child->operation);
            sys_exit(FAILED_START);
        }
    }
    failed(&child->failure, -EINVAL, "execve", "the program has no Exec");
    report_failure(child, child->program_count);
    sys_exit(FAILED_START);
}
