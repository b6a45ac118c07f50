/*
 * bare ROOTFS DIRECTORY GROUP FILTER [INIT SPECIFICATION RUN_DIRECTORY]
 *
 * What a container costs without an engine: for every line on stdin one container runs `true` and
 * is removed, and a line says how many nanoseconds that took. It has what a container of ours has
 * by default (namespaces, overlay, mounts, masks, control groups, device rules, seccomp filter,
 * capabilities) and nothing else: no records, no locks, no log, no supervisor. ROOTFS is the lower
 * layer, DIRECTORY is made and removed with every run, GROUP is the container's path in every
 * cgroup hierarchy (its parent lasts), FILTER has a struct sock_filter array.
 *
 * With INIT, a supervisor as the engine has it performs SPECIFICATION instead: then only the
 * engine's own part is bare, and the difference to the engine is what TypeScript and records cost.
 */
#include "bare.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *rootfs, *directory, *group;
struct sock_fprog filter;
static const char *init, *specification, *run_directory;

void die(const char *what)
{
    fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
    _exit(1);
}

long check(long result, const char *what)
{
    if (result < 0)
        die(what);
    return result;
}

const char *path(const char *format, ...)
{
    static char buffers[4][2048];
    static unsigned next;
    char *buffer = buffers[next++ % LENGTH(buffers)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof *buffers, format, arguments);
    va_end(arguments);
    return buffer;
}

void write_file(const char *file, int flags, const char *text)
{
    int fd = (int)check(open(file, O_WRONLY | O_CLOEXEC | flags, 0644), file);
    check(write(fd, text, strlen(text)), file);
    close(fd);
}

static void drain(const int ends[2])
{
    char output[1024];
    close(ends[1]);
    while (read(ends[0], output, sizeof output) > 0)
        ;
    close(ends[0]);
}

static void run_container(void)
{
    int out[2], err[2], pidfd, status;
    struct clone_args arguments = { .flags = CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWUTS |
                                             CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET,
                                    .pidfd = (uint64_t)(uintptr_t)&pidfd,
                                    .exit_signal = SIGCHLD };
    const char *unified = NULL;
    for (unsigned at = 0; at < hierarchy_count; at++)
        if (hierarchies[at].unified)
            unified = hierarchies[at].group;
    check(pipe2(out, O_CLOEXEC), "pipe2");
    check(pipe2(err, O_CLOEXEC), "pipe2");
    if (unified != NULL) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup =
            (uint64_t)check(open(unified, O_PATH | O_DIRECTORY | O_CLOEXEC), unified);
    }
    long pid = check(syscall(SYS_clone3, &arguments, sizeof arguments), "clone3");
    if (pid == 0)
        become_container((const int[]){ out[1], err[1] });
    drain(out);
    drain(err);
    check(waitpid((pid_t)pid, &status, 0), "waitpid");
    close(pidfd);
    if (status != 0) {
        errno = ECHILD;
        die("true");
    }
    if (unified != NULL) {
        close((int)arguments.cgroup);
        write_file(path("%s/cgroup.kill", unified), 0, "1");
    }
    remove_groups();
}

/* A sealed copy in memory, as the engine gives to its supervisor. */
static int sealed(const char *file)
{
    unsigned seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int from = (int)check(open(file, O_RDONLY | O_CLOEXEC), file);
    int to = (int)check(memfd_create("bare", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
    char bytes[65536];
    for (long length; (length = read(from, bytes, sizeof bytes)) > 0;)
        check(write(to, bytes, (size_t)length), "memfd");
    close(from);
    check(fcntl(to, F_ADD_SEALS, seals), "seal");
    return to;
}

/* Its specification is fd 3 and its first client fd 4: native/init/main.c. */
static pid_t start_supervisor(int image, int contents, int client)
{
    static char *const env[] = { NULL };
    char *const argv[] = { "fx-init", strrchr(directory, '/') + 1, NULL };
    pid_t pid = vfork();
    if (pid == 0) {
        int high = fcntl(client, F_DUPFD, 10), text = fcntl(contents, F_DUPFD, 10);
        int program = fcntl(image, F_DUPFD_CLOEXEC, 10);
        dup2(text, 3);
        dup2(high, 4);
        syscall(SYS_close_range, 5, ~0U, CLOSE_RANGE_CLOEXEC);
        syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
        _exit(127);
    }
    return (pid_t)check(pid, "vfork");
}

/* The frame that says how the container ended: src/domain/kernel/Supervisor.ts. */
#define FRAME_EXITED 18

static void await_exit(int channel)
{
    unsigned char bytes[1024];
    unsigned last = 0;
    for (long length; last != FRAME_EXITED && (length = read(channel, bytes, sizeof bytes)) > 0;)
        for (long at = 0; at < length; at += 8 + bytes[at + 7])
            last = bytes[at];
    if (last != FRAME_EXITED) {
        errno = ECHILD;
        die("the supervisor");
    }
}

static void run_supervised(void)
{
    static int image = -1, contents = -1;
    int pair[2];
    if (image < 0) {
        image = sealed(init);
        contents = sealed(specification);
    }
    check(mkdir(run_directory, 0700), run_directory);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
    start_supervisor(image, contents, pair[1]);
    close(pair[1]);
    await_exit(pair[0]);
    close(pair[0]);
    remove_tree(AT_FDCWD, run_directory);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void read_filter(const char *file)
{
    static struct sock_filter instructions[BPF_MAXINSNS];
    int fd = (int)check(open(file, O_RDONLY | O_CLOEXEC), file);
    long length = check(read(fd, instructions, sizeof instructions), file);
    close(fd);
    filter.len = (unsigned short)((unsigned long)length / sizeof *instructions);
    filter.filter = instructions;
}

int main(int count, char **arguments)
{
    char line[64];
    if (count != 5 && count != 8) {
        fputs("bare: usage: bare ROOTFS DIRECTORY GROUP FILTER "
              "[INIT SPECIFICATION RUN_DIRECTORY]\n", stderr);
        return 2;
    }
    rootfs = arguments[1], directory = arguments[2], group = arguments[3];
    read_filter(arguments[4]);
    if (count == 8)
        init = arguments[5], specification = arguments[6], run_directory = arguments[7];
    find_hierarchies();
    make_parents();
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint64_t began = now();
        make_directories();
        make_groups();
        if (init == NULL)
            run_container();
        else
            run_supervised();
        remove_tree(AT_FDCWD, directory);
        uint64_t ended = now();
        /* Supervisors end a moment later. */
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        printf("%llu\n", (unsigned long long)(ended - began));
        fflush(stdout);
    }
    return 0;
}
