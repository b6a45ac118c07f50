/*
 * stopwatch [DIRECTORY]: measures how long commands take, seen from a small process, so that what
 * is measured is not the fork of a large one. DIRECTORY is unmounted first, in a mount namespace
 * of our own: crun refuses hosts with a cgroup2 beside the older hierarchies.
 *
 * A line on stdin: how many times, how many of them at once, the program and its arguments,
 * separated by tabs; "{}" in an argument becomes the number of the command, from 0. A line on
 * stdout: nanoseconds from the first start to the last end, how many commands failed, and the
 * largest resident size of one of them in kilobytes. Their output goes nowhere, or with STOPWATCH_VERBOSE in the environment to our stderr.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define ARGUMENTS_AT_MOST 64

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void hide(const char *directory)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        umount2(directory, MNT_DETACH) < 0) {
        perror(directory);
        exit(1);
    }
}

/* The argument with the number in place of each "{}". */
static char *numbered(const char *argument, unsigned number)
{
    char digits[16], *text = malloc(strlen(argument) * 8 + 1), *end = text;
    int length = snprintf(digits, sizeof digits, "%u", number);
    while (*argument) {
        if (strncmp(argument, "{}", 2) == 0) {
            memcpy(end, digits, (size_t)length);
            end += length;
            argument += 2;
        } else {
            *end++ = *argument++;
        }
    }
    *end = 0;
    return text;
}

static pid_t start(char *const arguments[], unsigned number)
{
    static posix_spawn_file_actions_t nowhere;
    static int prepared;
    char *argv[ARGUMENTS_AT_MOST + 1];
    unsigned count = 0;
    pid_t pid;
    if (!prepared) {
        posix_spawn_file_actions_init(&nowhere);
        posix_spawn_file_actions_addopen(&nowhere, 0, "/dev/null", O_RDONLY, 0);
        if (getenv("STOPWATCH_VERBOSE") == NULL) {
            posix_spawn_file_actions_addopen(&nowhere, 1, "/dev/null", O_WRONLY, 0);
            posix_spawn_file_actions_adddup2(&nowhere, 1, 2);
        } else {
            posix_spawn_file_actions_adddup2(&nowhere, 2, 1);
        }
        prepared = 1;
    }
    for (; arguments[count] != NULL; count++)
        argv[count] = numbered(arguments[count], number);
    argv[count] = NULL;
    int error = posix_spawnp(&pid, argv[0], &nowhere, NULL, argv, environ);
    for (unsigned at = 0; at < count; at++)
        free(argv[at]);
    return error == 0 ? pid : -1;
}

/* What a command leaves behind is no child of ours: every child is one of the commands. */
static unsigned run(char *const arguments[], unsigned times, unsigned at_once, long *largest)
{
    struct rusage usage;
    unsigned started = 0, ended = 0, running = 0, failed = 0;
    while (ended < times) {
        while (started < times && running < at_once) {
            if (start(arguments, started++) < 0)
                failed++, ended++;
            else
                running++;
        }
        int status;
        if (running == 0 || wait4(-1, &status, 0, &usage) < 0)
            continue;
        if (usage.ru_maxrss > *largest)
            *largest = usage.ru_maxrss;
        running--;
        ended++;
        if (status != 0)
            failed++;
    }
    return failed;
}

int main(int count, char **options)
{
    static char line[65536];
    if (count > 1)
        hide(options[1]);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *arguments[ARGUMENTS_AT_MOST + 1], *rest = line;
        unsigned fields = 0;
        line[strcspn(line, "\n")] = 0;
        while (fields < ARGUMENTS_AT_MOST && (arguments[fields] = strsep(&rest, "\t")) != NULL)
            fields++;
        arguments[fields] = NULL;
        if (fields < 3) {
            fputs("stopwatch: a line is TIMES, AT-ONCE, PROGRAM, ARGUMENT...\n", stderr);
            return 2;
        }
        uint64_t began = now();
        unsigned times = (unsigned)atoi(arguments[0]), at_once = (unsigned)atoi(arguments[1]);
        long largest = 0;
        unsigned failed = run(arguments + 2, times, at_once, &largest);
        printf("%llu %u %ld\n", (unsigned long long)(now() - began), failed, largest);
        fflush(stdout);
    }
    return 0;
}
