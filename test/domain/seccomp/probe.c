/*
 * Loads a seccomp filter into itself and makes the system calls it is told, to see what this kernel says.
 *
 *   probe FILTER < calls
 *
 * FILTER: an array of struct sock_filter. A line of input is `native|i386 NUMBER A0 A1 A2 A3 A4 A5`; i386 calls
 * go through int 0x80. Prints a line for each call: the errno it failed with, or 0. The filter must allow write
 * and exit_group. Exits with 2 when the filter is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CALLS 4096

struct call {
	int i386;
	unsigned long long number, args[6];
};

static struct sock_filter filter[BPF_MAXINSNS + 1];
static struct call calls[MAX_CALLS];
static char output[MAX_CALLS * 8];

static int load(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	long bytes = file < 0 ? -1 : read(file, filter, sizeof filter);
	if (bytes < 0)
		return -errno;
	struct sock_fprog program = { bytes / sizeof filter[0], filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

static long call_i386(const struct call *call)
{
#ifdef __x86_64__
	int result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"((int)call->number), "b"((int)call->args[0]), "c"((int)call->args[1])
			 : "memory", "r8", "r9", "r10", "r11");
	return result < 0 ? -result : 0;
#else
	(void)call;
	return ENOSYS;
#endif
}

static long call_native(const struct call *call)
{
	const unsigned long long *a = call->args;
	return syscall((long)call->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
	char abi[8];
	int count = 0;
	for (struct call *c = calls; count < MAX_CALLS; c++, count++) {
		unsigned long long *a = c->args;
		if (scanf("%7s %llu %llu %llu %llu %llu %llu %llu", abi, &c->number, &a[0], &a[1], &a[2], &a[3], &a[4],
			  &a[5]) != 8)
			break;
		c->i386 = strcmp(abi, "i386") == 0;
	}
	int failure = argc == 2 ? load(argv[1]) : -EINVAL;
	if (failure < 0) {
		fprintf(stderr, "filter refused: %s\n", strerror(-failure));
		return 2;
	}
	char *end = output;
	for (int i = 0; i < count; i++)
		end += sprintf(end, "%ld\n", calls[i].i386 ? call_i386(&calls[i]) : call_native(&calls[i]));
	if (write(1, output, end - output) < 0)
		_exit(3);
	_exit(0);
}
