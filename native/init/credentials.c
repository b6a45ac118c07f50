/* Operations that take rights away: ids, capabilities, seccomp. */
#include "child.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

int op_no_new_privileges(struct child *child)
{
    int result = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
    return result < 0 ? failed(&child->failure, result, "prctl", "PR_SET_NO_NEW_PRIVS") : 0;
}

int op_seccomp(struct child *child, const struct fx_seccomp *op)
{
    struct sock_fprog program = {
        .len = (unsigned short)(op->filter.length / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)(uintptr_t)op->filter.bytes,
    };
    bool whole = op->filter.length % sizeof(struct sock_filter) == 0 &&
                 op->filter.length / sizeof(struct sock_filter) <= BPF_MAXINSNS;
    int result =
        whole ? (int)SYSCALL3(seccomp, SECCOMP_SET_MODE_FILTER, op->flags, &program) : -EINVAL;
    return result < 0 ? failed(&child->failure, result, "seccomp", "") : 0;
}

int op_bounding_set(struct child *child, const struct fx_bounding_set *op)
{
    for (unsigned capability = 0; capability < 64; capability++) {
        if (op->capabilities >> capability & 1)
            continue;
        int result = sys_prctl(PR_CAPBSET_DROP, capability, 0);
        /* EINVAL: beyond the last capability of this kernel. */
        if (result == -EINVAL)
            return 0;
        if (result < 0)
            return failed(&child->failure, result, "prctl", "PR_CAPBSET_DROP");
    }
    return 0;
}

/*
 * Pipes and terminals go to the user, so that opening /dev/stdout again works; /dev/null stays as
 * it is. Where that is not allowed nothing is lost.
 */
static void give_standard_streams(uint32_t uid)
{
    for (int fd = 0; fd < 3; fd++) {
        struct statx status;
        if (sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &status) < 0)
            continue;
        unsigned type = status.stx_mode & S_IFMT;
        bool is_null = type == S_IFCHR && status.stx_rdev_major == 1;
        if (!is_null && (type == S_IFCHR || type == S_IFIFO))
            sys_fchownat(fd, "", uid, ~0u, AT_EMPTY_PATH);
    }
}

int op_user(struct child *child, const struct fx_user *op)
{
    if (op->uid != 0)
        give_standard_streams(op->uid);
    int result = sys_prctl(PR_SET_KEEPCAPS, 1, 0);
    if (result < 0)
        return failed(&child->failure, result, "prctl", "PR_SET_KEEPCAPS");
    /* The items are little-endian words, aligned to 4, as are the machines we build for. */
    result = sys_setgroups(op->groups.count, (const uint32_t *)(const void *)op->groups.items.at);
    if (result < 0)
        return failed(&child->failure, result, "setgroups", "");
    result = sys_setresgid(op->gid);
    if (result < 0)
        return failed(&child->failure, result, "setresgid", "");
    result = sys_setresuid(op->uid);
    return result < 0 ? failed(&child->failure, result, "setresuid", "") : 0;
}

int op_capabilities(struct child *child, const struct fx_capabilities *op)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = {
        { (uint32_t)op->effective, (uint32_t)op->permitted, (uint32_t)op->inheritable },
        { (uint32_t)(op->effective >> 32), (uint32_t)(op->permitted >> 32),
          (uint32_t)(op->inheritable >> 32) },
    };
    int result = (int)SYSCALL2(capset, &header, data);
    if (result < 0)
        return failed(&child->failure, result, "capset", "");
    result = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
    for (unsigned capability = 0; capability < 64 && result >= 0; capability++)
        if (op->ambient >> capability & 1)
            result = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
    return result < 0 ? failed(&child->failure, result, "prctl", "PR_CAP_AMBIENT") : 0;
}

int become_namespace_root(struct child *child)
{
    int result = sys_setgroups(0, NULL);
    if (result < 0)
        return failed(&child->failure, result, "setgroups", "user namespace");
    result = sys_setresgid(0);
    if (result < 0)
        return failed(&child->failure, result, "setresgid", "user namespace");
    result = sys_setresuid(0);
    return result < 0 ? failed(&child->failure, result, "setresuid", "user namespace") : 0;
}
