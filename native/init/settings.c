/* Operations that set one property of the process or of its namespaces. */
#include "resolve.h"

/* include/uapi/linux/keyctl.h */
#define KEYCTL_JOIN_SESSION_KEYRING 1
/* include/uapi/linux/magic.h */
#define PROC_SUPER_MAGIC 0x9fa0

int op_hostname(struct child *child, const struct fx_hostname *op)
{
    int result = (int)SYSCALL2(sethostname, op->name.bytes, op->name.length);
    return result < 0 ? failed(&child->failure, result, "sethostname", op->name.bytes) : 0;
}

int op_domainname(struct child *child, const struct fx_domainname *op)
{
    int result = (int)SYSCALL2(setdomainname, op->name.bytes, op->name.length);
    return result < 0 ? failed(&child->failure, result, "setdomainname", op->name.bytes) : 0;
}

int op_oom_score_adjust(struct child *child, const struct fx_oom_score_adjust *op)
{
    return write_file(&child->failure, "/proc/self/oom_score_adj", op->value.bytes,
                      op->value.length);
}

/*
 * sysctl(8): when the first separator is a dot, dots separate and slashes stand for dots; when it
 * is a slash, both stand for themselves.
 */
static void put_sysctl_path(char *path, const char *key)
{
    const char *first = key;
    while (*first && *first != '.' && *first != '/')
        first++;
    bool dotted = *first == '.';
    for (; *key; key++)
        *path++ = !dotted ? *key : *key == '.' ? '/' : *key == '/' ? '.' : *key;
    *path = 0;
}

int op_sysctl(struct child *child, const struct fx_sysctl *op)
{
    struct statfs filesystem;
    const char *key = op->key.bytes;
    if (op->key.length >= PATH_LIMIT)
        return failed(&child->failure, -ENAMETOOLONG, "openat2", key);
    char path[op->key.length + 1];
    put_sysctl_path(path, key);
    CLOSED int directory = resolve(child, "/proc/sys", O_RDONLY | O_DIRECTORY, true);
    if (directory < 0)
        return failed(&child->failure, directory, "openat2", "/proc/sys");
    if (sys_fstatfs(directory, &filesystem) < 0 || filesystem.f_type != PROC_SUPER_MAGIC)
        return failed(&child->failure, -ENODEV, "fstatfs", "/proc/sys");
    struct open_how how = {
        .flags = O_WRONLY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    CLOSED int fd = sys_openat2(directory, path, &how);
    if (fd < 0)
        return failed(&child->failure, fd, "openat2", key);
    long written = sys_write(fd, op->value.bytes, op->value.length);
    return written < 0 ? failed(&child->failure, (int)written, "write", key) : 0;
}

int op_rlimit(struct child *child, const struct fx_rlimit *op)
{
    struct rlimit64 limit = { op->soft, op->hard };
    int result = sys_prlimit(op->resource, &limit);
    return result < 0 ? failed(&child->failure, result, "prlimit64", "") : 0;
}

int op_keyring(struct child *child, const struct fx_keyring *op)
{
    int result = (int)SYSCALL2(keyctl, KEYCTL_JOIN_SESSION_KEYRING, op->name.bytes);
    /* A kernel without keys has none to keep apart. */
    return result < 0 && result != -ENOSYS
               ? failed(&child->failure, result, "keyctl", op->name.bytes)
               : 0;
}

int op_personality(struct child *child, const struct fx_personality *op)
{
    int result = (int)SYSCALL1(personality, op->persona);
    return result < 0 ? failed(&child->failure, result, "personality", "") : 0;
}

int op_umask(struct child *child, const struct fx_umask *op)
{
    sys_umask(op->mask & 0777);
    child->umask_set = true;
    return 0;
}
