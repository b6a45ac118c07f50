/*
 * docker's --init: pid 1 starts the program as its child, hands signals on, reaps what is orphaned,
 * and ends as the program did. Signals stay blocked and are taken one by one, so there is no
 * handler.
 */
#include "child.h"

/* The signals that must not be blocked because they tell of a fault of this process itself. */
#define FAULTS                                                                                     \
    (1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGFPE - 1) | 1ull << (SIGILL - 1))

/* Reaps all that has ended; the exit code when the program was among them, −1 otherwise. */
static int reap(int program)
{
    int code = -1, status;
    long pid;
    while ((pid = sys_wait4(-1, &status, WNOHANG)) > 0)
        if (pid == program)
            code = (status & 0x7f) != 0 ? 128 + (status & 0x7f) : status >> 8 & 0xff;
    return code;
}

__attribute__((noreturn)) static void serve(int program)
{
    for (;;) {
        int signal = sys_sigwait(~FAULTS);
        if (signal == SIGCHLD) {
            int code = reap(program);
            if (code >= 0)
                sys_exit(code);
        } else if (signal > 0) {
            sys_kill(program, signal);
        }
    }
}

int stay_as_reaper(struct child *child)
{
    sys_sigmask(~FAULTS);
    long program = sys_fork();
    if (program < 0)
        return failed(&child->failure, (int)program, "clone", "");
    if (program == 0) {
        /*
         * A group of its own, in the foreground: what is typed goes to the program and not to
         * pid 1.
         */
        int group = sys_getpid();
        sys_setpgid(0, 0);
        if (child->terminal >= 0)
            sys_ioctl(0, TIOCSPGRP, &group);
        return 0;
    }
    /*
     * The report's end is then the program's alone, and host paths in the specification leave this
     * process.
     */
    sys_close_range(3, ~0u, 0);
    sys_munmap(child->bytes, child->bytes_length);
    forget_setup_code();
    serve((int)program);
}
