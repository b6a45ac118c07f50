/* Control groups: removing, killing and the device program. The caller waits, since it can be interrupted. */
#include "addon.h"

#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>

/* Nested groups that are looked into; the kernel's own limit (cgroup.max.depth) is none. */
#define LEVELS 128

static int remove_children_of(int directory, int level, struct fault *fault);

static int remove_group(int parent, const char *name, int level, struct fault *fault)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno != EBUSY && errno != ENOTEMPTY)
        return failed(fault, "rmdir");
    if (level > LEVELS)
        return failed_with(fault, "rmdir", ENAMETOOLONG);
    AUTO_FD fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : failed(fault, "openat");
    int removed = remove_children_of(fd, level, fault);
    if (removed < 0)
        return removed;
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    return failed_with(fault, "rmdir", errno == ENOTEMPTY ? EBUSY : errno);
}

static int remove_children_of(int directory, int level, struct fault *fault)
{
    int copy = fcntl(directory, F_DUPFD_CLOEXEC, 3);
    AUTO_DIR dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        close_fd(&copy);
        return failed(fault, "fdopendir");
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? 0 : failed(fault, "getdents64");
        if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int result = remove_group(directory, entry->d_name, level + 1, fault);
        if (result < 0)
            return result;
    }
}

int remove_cgroup(const char *path, struct fault *fault)
{
    return remove_group(AT_FDCWD, path, 0, fault);
}

/* Pids in a cgroup.procs file, in new memory: the number of them. */
static int read_pids(const char *path, int **pids, struct fault *fault)
{
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return failed(fault, "openat");
    FILE *file = fdopen(fd, "re");
    if (file == NULL)
        return failed(fault, "fdopen");
    fd = -1;
    int count = 0, capacity = 0, pid;
    *pids = NULL;
    while (fscanf(file, "%d", &pid) == 1) {
        if (count == capacity) {
            capacity = capacity == 0 ? 64 : capacity * 2;
            int *grown = realloc(*pids, (size_t)capacity * sizeof *grown);
            if (grown == NULL) {
                fclose(file);
                free(*pids);
                return failed_with(fault, "malloc", ENOMEM);
            }
            *pids = grown;
        }
        (*pids)[count++] = pid;
    }
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error != 0) {
        free(*pids);
        return failed_with(fault, "read", error);
    }
    return count;
}

static bool contains(const int *pids, int count, int pid)
{
    for (int at = 0; at < count; at++)
        if (pids[at] == pid)
            return true;
    return false;
}

/*
 * A pid may have passed to another process between the listing and the signal. So: list, open descriptors,
 * list again, and signal those still listed. A descriptor whose pid is listed afterwards belongs to the group,
 * or its process has died and the signal goes nowhere.
 */
int kill_cgroup(const char *path, struct fault *fault)
{
    char file[PATH_MAX];
    int size = snprintf(file, sizeof file, "%s/cgroup.procs", path);
    if (size < 0 || (size_t)size >= sizeof file)
        return failed_with(fault, "openat", ENAMETOOLONG);
    int *before = NULL, *after = NULL, result = 0;
    int count = read_pids(file, &before, fault);
    if (count <= 0) {
        if (count == 0)
            free(before);
        return count;
    }
    /* In handfuls: a group can hold more processes than we may have descriptors. */
    enum { HANDFUL = 256 };
    for (int start = 0; start < count && result >= 0; start += HANDFUL) {
        int end = start + HANDFUL < count ? start + HANDFUL : count;
        int fds[HANDFUL];
        for (int at = start; at < end; at++)
            fds[at - start] = before[at] <= 0 ? -1 : (int)syscall(SYS_pidfd_open, before[at], 0);
        int left = read_pids(file, &after, fault);
        for (int at = start; at < end; at++) {
            int fd = fds[at - start];
            if (fd >= 0 && left > 0 && contains(after, left, before[at]))
                syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
            close_fd(&fd);
        }
        if (left >= 0)
            free(after);
        else if (left != -ENOENT)
            result = left;
    }
    free(before);
    return result < 0 ? result : count;
}

static int bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static uint64_t address(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static int load_program(const void *program, size_t length, struct fault *fault)
{
    /* The size of struct bpf_insn. */
    if (length == 0 || length % 8 != 0)
        return failed_with(fault, "bpf", EINVAL);
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insns = address(program),
        .insn_cnt = (uint32_t)(length / 8),
        .license = address("Apache-2.0"),
    };
    int fd = bpf(BPF_PROG_LOAD, &load);
    if (fd >= 0)
        return fd;
    int error = errno;
    /* Once more with a log, whose last line says which instruction the verifier refused. */
    static const size_t size = 65536;
    AUTO_TEXT log = calloc(1, size);
    if (log != NULL) {
        load.log_level = 1;
        load.log_size = (uint32_t)size;
        load.log_buf = address(log);
        fd = bpf(BPF_PROG_LOAD, &load);
        if (fd >= 0)
            return fd;
        size_t end = strnlen(log, size);
        size_t start = end > sizeof fault->detail - 1 ? end - (sizeof fault->detail - 1) : 0;
        memcpy(fault->detail, log + start, end - start);
        fault->detail[end - start] = 0;
    }
    return failed_with(fault, "bpf(BPF_PROG_LOAD)", error);
}

int attach_devices(const char *path, const void *program, size_t length, struct fault *fault)
{
    AUTO_FD directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return failed(fault, "openat");
    AUTO_FD fresh = load_program(program, length, fault);
    if (fresh < 0)
        return fresh;
    uint32_t earlier[64] = {0};
    union bpf_attr query = {.query = {
        .target_fd = (uint32_t)directory,
        .attach_type = BPF_CGROUP_DEVICE,
        .prog_ids = address(earlier),
        .prog_cnt = 64,
    }};
    if (bpf(BPF_PROG_QUERY, &query) < 0)
        return failed(fault, "bpf(BPF_PROG_QUERY)");
    union bpf_attr attach = {
        .target_fd = (uint32_t)directory,
        .attach_bpf_fd = (uint32_t)fresh,
        .attach_type = BPF_CGROUP_DEVICE,
        .attach_flags = BPF_F_ALLOW_MULTI,
    };
    if (bpf(BPF_PROG_ATTACH, &attach) < 0)
        return failed(fault, "bpf(BPF_PROG_ATTACH)");
    /* All programs must agree, so that between the two steps the stricter rule of both holds. */
    for (uint32_t at = 0; at < query.query.prog_cnt && at < 64; at++) {
        union bpf_attr by_id = {.prog_id = earlier[at]};
        AUTO_FD old = bpf(BPF_PROG_GET_FD_BY_ID, &by_id);
        if (old < 0 && errno == ENOENT)
            continue;
        union bpf_attr detach = {
                .target_fd = (uint32_t)directory,
                .attach_bpf_fd = (uint32_t)old,
                .attach_type = BPF_CGROUP_DEVICE,
        };
        if (old < 0 || (bpf(BPF_PROG_DETACH, &detach) < 0 && errno != ENOENT))
            return failed(fault, "bpf(BPF_PROG_DETACH)");
    }
    return 0;
}
