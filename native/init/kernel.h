/*
 * The kernel's side of a system call, without a libc, for x86_64 and aarch64: structures and
 * constants that the uapi headers leave out, and how the kernel is entered.
 */
#ifndef FX_KERNEL_H
#define FX_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/socket.h>
#include <asm/statfs.h>
#include <asm/termios.h>
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/un.h>
#include <linux/wait.h>

/* include/linux/socket.h and include/linux/net.h, which the uapi headers leave out. */
#define AF_UNIX 1
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define SOCK_CLOEXEC O_CLOEXEC
#define SOCK_NONBLOCK O_NONBLOCK
#define SCM_RIGHTS 1
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define PROT_READ 1
#define MAP_PRIVATE 2
#define MNT_DETACH 2

struct kernel_msghdr {
    void *name;
    int name_length;
    struct kernel_iovec {
        void *base;
        size_t length;
    } * parts;
    size_t parts_count;
    void *control;
    size_t control_length;
    unsigned flags;
};

struct kernel_sigaction {
    void (*handler)(int);
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

struct kernel_ucred {
    uint32_t pid, uid, gid;
};

struct kernel_dirent {
    uint64_t inode;
    int64_t offset;
    uint16_t record_length;
    uint8_t type;
    char name[];
};

#if defined(__x86_64__)
static inline long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "fx-init knows the system calls of x86_64 and aarch64 only"
#endif

/* An argument that a call does not have: whatever its register holds, for no instruction. */
static inline long no_argument(void)
{
    long any;
    __asm__ volatile("" : "=r"(any));
    return any;
}

#define SYSCALL6(n, a, b, c, d, e, f)                                                              \
    syscall6(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYSCALL5(n, a, b, c, d, e) SYSCALL6(n, a, b, c, d, e, no_argument())
#define SYSCALL4(n, a, b, c, d) SYSCALL5(n, a, b, c, d, no_argument())
#define SYSCALL3(n, a, b, c) SYSCALL4(n, a, b, c, no_argument())
#define SYSCALL2(n, a, b) SYSCALL3(n, a, b, no_argument())
#define SYSCALL1(n, a) SYSCALL2(n, a, no_argument())
#define SYSCALL0(n) SYSCALL1(n, no_argument())

#endif
