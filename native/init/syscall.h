/*
 * All system calls that fx-init makes: here those on processes, signals, sockets and time. Each
 * returns what the kernel does: a negative errno on failure. Only calls that both architectures
 * have are used.
 */
#ifndef FX_SYSCALL_H
#define FX_SYSCALL_H

#include "filecalls.h"

/* Processes */
static inline long sys_clone3(struct clone_args *arguments)
{
    return SYSCALL2(clone3, arguments, sizeof *arguments);
}

/* fork(2). */
static inline long sys_fork(void)
{
    return SYSCALL5(clone, SIGCHLD, 0, 0, 0, 0);
}

static inline int sys_execve(const char *path, const char *const *argv, const char *const *env)
{
    return (int)SYSCALL3(execve, path, argv, env);
}

__attribute__((noreturn)) static inline void sys_exit(int code)
{
    for (;;)
        SYSCALL1(exit_group, code);
}

static inline long sys_wait4(int pid, int *status, int options)
{
    return SYSCALL4(wait4, pid, status, options, 0);
}

static inline int sys_getpid(void)
{
    return (int)SYSCALL0(getpid);
}

static inline int sys_kill(int pid, int signal)
{
    return (int)SYSCALL2(kill, pid, signal);
}

static inline int sys_setsid(void)
{
    return (int)SYSCALL0(setsid);
}

static inline int sys_setpgid(int pid, int group)
{
    return (int)SYSCALL2(setpgid, pid, group);
}

static inline int sys_unshare(unsigned flags)
{
    return (int)SYSCALL1(unshare, flags);
}

static inline int sys_setns(int fd, unsigned kinds)
{
    return (int)SYSCALL2(setns, fd, kinds);
}

static inline int sys_pidfd_open(int pid)
{
    return (int)SYSCALL2(pidfd_open, pid, 0);
}

static inline int sys_prctl(int option, unsigned long a, unsigned long b)
{
    return (int)SYSCALL5(prctl, option, a, b, 0, 0);
}

static inline int sys_prlimit(unsigned resource, const struct rlimit64 *limit)
{
    return (int)SYSCALL4(prlimit64, 0, resource, limit, 0);
}

static inline int sys_setgroups(size_t count, const uint32_t *groups)
{
    return (int)SYSCALL2(setgroups, count, groups);
}

static inline int sys_setresuid(unsigned uid)
{
    return (int)SYSCALL3(setresuid, uid, uid, uid);
}

static inline int sys_setresgid(unsigned gid)
{
    return (int)SYSCALL3(setresgid, gid, gid, gid);
}

static inline unsigned sys_geteuid(void)
{
    return (unsigned)SYSCALL0(geteuid);
}

/* Signals; masks are 64 bits. */
static inline int sys_sigmask(uint64_t mask)
{
    return (int)SYSCALL4(rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);
}

static inline int sys_sigaction(int signal, void (*handler)(int))
{
    struct kernel_sigaction action = { handler, 0, 0, 0 };
    return (int)SYSCALL4(rt_sigaction, signal, &action, 0, sizeof action.mask);
}

/* Waits for a signal of `mask` and takes it; its number. */
static inline int sys_sigwait(uint64_t mask)
{
    return (int)SYSCALL4(rt_sigtimedwait, &mask, 0, 0, sizeof mask);
}

/* Sockets */
static inline int sys_socket(int family, int type, int protocol)
{
    return (int)SYSCALL3(socket, family, type, protocol);
}

static inline int sys_socketpair(int type, int ends[2])
{
    return (int)SYSCALL4(socketpair, AF_UNIX, type, 0, ends);
}

static inline int sys_bind(int fd, const void *address, int length)
{
    return (int)SYSCALL3(bind, fd, address, length);
}

static inline int sys_listen(int fd, int backlog)
{
    return (int)SYSCALL2(listen, fd, backlog);
}

static inline int sys_accept4(int fd, int flags)
{
    return (int)SYSCALL4(accept4, fd, 0, 0, flags);
}

static inline int sys_getsockopt(int fd, int option, void *value, int *length)
{
    return (int)SYSCALL5(getsockopt, fd, SOL_SOCKET, option, value, length);
}

static inline long sys_send(int fd, const void *from, size_t length, int flags)
{
    return SYSCALL6(sendto, fd, from, length, flags, 0, 0);
}

static inline long sys_recv(int fd, void *into, size_t length, int flags)
{
    return SYSCALL6(recvfrom, fd, into, length, flags, 0, 0);
}

static inline long sys_sendmsg(int fd, const struct kernel_msghdr *message, int flags)
{
    return SYSCALL3(sendmsg, fd, message, flags);
}

static inline long sys_recvmsg(int fd, struct kernel_msghdr *message, int flags)
{
    return SYSCALL3(recvmsg, fd, message, flags);
}

/* Events and time */
static inline int sys_epoll_create(void)
{
    return (int)SYSCALL1(epoll_create1, EPOLL_CLOEXEC);
}

static inline int sys_epoll_ctl(int epoll, int operation, int fd, const struct epoll_event *event)
{
    return (int)SYSCALL4(epoll_ctl, epoll, operation, fd, event);
}

/* `timeout` in milliseconds, −1: for ever. */
static inline int sys_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
    return (int)SYSCALL6(epoll_pwait, epoll, events, count, timeout, 0, 8);
}

static inline void sys_clock(int clock, struct __kernel_timespec *into)
{
    SYSCALL2(clock_gettime, clock, into);
}

static inline void sys_sleep_microseconds(uint32_t microseconds)
{
    struct __kernel_timespec time = { 0, (long long)microseconds * 1000 };
    SYSCALL2(nanosleep, &time, 0);
}

#endif
