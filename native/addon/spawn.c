/*
 * Starting supervisors. The Node process is large and has many threads: a child that shares its memory until it
 * execs (CLONE_VM | CLONE_VFORK) costs a tenth of a fork. In return the child may do nothing but make system calls.
 */
#include "addon.h"

#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* For the command that a supervisor becomes in the end. */
#define PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The descriptors that a supervisor is born with, besides ours from 0 to 2. */
#define SPEC_FD 3
#define CHANNEL_FD 4

static int write_memfd(int fd, const uint8_t *bytes, size_t length, struct fault *fault)
{
    for (size_t done = 0; done < length;) {
        /* By position, so that the reader starts at the beginning. */
        ssize_t count = pwrite(fd, bytes + done, length - done, (off_t)done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return failed_with(fault, "pwrite", count < 0 ? errno : EIO);
        done += (size_t)count;
    }
    return 0;
}

/* memfd_create(2); the flags about execution came with Linux 6.3 and are left out before. */
static int make_memfd(const char *name, unsigned flags, unsigned modern)
{
    int fd = memfd_create(name, flags | MFD_CLOEXEC | modern);
    return fd < 0 && errno == EINVAL ? memfd_create(name, flags | MFD_CLOEXEC) : fd;
}

int make_sealed(const char *name, const void *bytes, size_t length, bool executable, struct fault *fault)
{
    AUTO_FD fd = make_memfd(name, MFD_ALLOW_SEALING, executable ? MFD_EXEC : 0);
    if (fd < 0)
        return failed(fault, "memfd_create");
    int result = write_memfd(fd, bytes, length, fault);
    if (result < 0)
        return result;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return failed(fault, "fcntl");
    int made = fd;
    fd = -1;
    return made;
}

struct birth {
    int init, spec, channel;
    const char *id;
    /* Written by the child, which shares our memory: what went wrong before it was another program. */
    int error;
    const char *call;
};

/* _NSIG / 8 */
#define SIGSET_BYTES 8

/*
 * Runs on a small stack in the parent's memory: only system calls from here on. Every signal is blocked, lest a
 * handler of Node runs here; fx-init opens them, resets what is ignored, leaves the session and opens /dev/null.
 */
static int be_born(void *argument)
{
    struct birth *birth = argument;
    static const char *const environment[] = { "PATH=" PATH, NULL };
    const char *const arguments[] = { "fx-init", birth->id, NULL };
    birth->call = "dup3";
    if (syscall(SYS_dup3, birth->spec, SPEC_FD, 0) >= 0 && syscall(SYS_dup3, birth->channel, CHANNEL_FD, 0) >= 0) {
        birth->call = "close_range";
        if (syscall(SYS_close_range, CHANNEL_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) >= 0) {
            birth->call = "execveat";
            syscall(SYS_execveat, birth->init, "", arguments, environment, AT_EMPTY_PATH);
        }
    }
    birth->error = errno;
    syscall(SYS_exit_group, 127);
    return 127;
}

/* Moves a descriptor out of the way of the targets 0 to 4. It is the caller's to close, in either place. */
static int above_targets(int *fd, struct fault *fault)
{
    if (*fd > CHANNEL_FD)
        return 0;
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
    if (moved < 0)
        return failed(fault, "fcntl");
    close(*fd);
    *fd = moved;
    return 0;
}

static int clone_supervisor(struct birth *birth, struct fault *fault)
{
    /* One stack for the process: its user waits until the child has done with it. */
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    static uint8_t stack[32768] __attribute__((aligned(16)));
    uint64_t all = ~UINT64_C(0), before;
    pthread_mutex_lock(&turn);
    /* By the raw call: glibc would leave its own two signals open. */
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, SIGSET_BYTES);
    int pid = clone(be_born, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, birth);
    int error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, SIGSET_BYTES);
    pthread_mutex_unlock(&turn);
    if (pid < 0)
        return failed_with(fault, "clone", error);
    if (birth->error == 0)
        return pid;
    waitpid(pid, NULL, __WALL);
    return failed_with(fault, birth->call, birth->error);
}

int spawn_supervisor(int init, const char *id, const void *spec, size_t length, int *channel, struct fault *fault)
{
    AUTO_FD memory = make_memfd("fx-spec", 0, MFD_NOEXEC_SEAL);
    if (memory < 0)
        return failed(fault, "memfd_create");
    int result = write_memfd(memory, spec, length, fault);
    if (result < 0)
        return result;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return failed(fault, "socketpair");
    AUTO_FD theirs = ends[1];
    AUTO_FD ours = ends[0];
    AUTO_FD image = fcntl(init, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
    if (image < 0)
        return failed(fault, "fcntl");
    if ((result = above_targets(&memory, fault)) < 0 || (result = above_targets(&theirs, fault)) < 0)
        return result;
    struct birth birth = {.init = image, .spec = memory, .channel = theirs, .id = id};
    int pid = clone_supervisor(&birth, fault);
    if (pid < 0)
        return pid;
    *channel = ours;
    ours = -1;
    return pid;
}

int reap(int pid)
{
    int result;
    do result = waitpid(pid, NULL, WNOHANG | __WALL);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result > 0;
}

int connect_channel(const char *directory, struct fault *fault)
{
    AUTO_FD place = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0)
        return failed(fault, "openat");
    AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return failed(fault, "socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/attach.sock", place);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return failed(fault, "connect");
    int connected = fd;
    fd = -1;
    return connected;
}
