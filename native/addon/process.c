/* Processes by identity: a pid and the time it started, so that a reused pid is never taken for the old process. */
#include "addon.h"

#include <stdio.h>

uint64_t parse_start_time(const char *stat)
{
    /* The name in field 2 may hold spaces and brackets; the last bracket ends it. */
    const char *at = strrchr(stat, ')');
    if (at == NULL)
        return 0;
    at++;
    /* Field 3: a zombie only waits for its parent to look; to everybody else it has gone. */
    if (at[0] == ' ' && (at[1] == 'Z' || at[1] == 'X'))
        return 0;
    /* proc_pid_stat(5): starttime is field 22, the twentieth after the name. */
    for (int field = 3; field < 22; field++) {
        if (*at != ' ')
            return 0;
        at++;
        while (*at != ' ' && *at != 0)
            at++;
    }
    if (*at != ' ' || at[1] < '0' || at[1] > '9')
        return 0;
    return strtoull(at + 1, NULL, 10);
}

static uint64_t start_time(int pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    if (length <= 0)
        return 0;
    text[length] = 0;
    return parse_start_time(text);
}

int open_process(int pid, uint64_t start, struct fault *fault)
{
    if (pid <= 0)
        return failed_with(fault, "pidfd_open", ESRCH);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return failed_with(fault, "pidfd_open", errno == EINVAL ? ESRCH : errno);
    /* Looked at while the descriptor holds: if it stands for an earlier process of this pid, signals to it fail. */
    if (start_time(pid) == start)
        return fd;
    close(fd);
    return failed_with(fault, "pidfd_open", ESRCH);
}

int signal_process(int pid, uint64_t start, int signal, struct fault *fault)
{
    AUTO_FD fd = open_process(pid, start, fault);
    if (fd < 0)
        return fd;
    return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0 ? failed(fault, "pidfd_send_signal") : 0;
}
