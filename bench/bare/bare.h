/* What the parts of `bare` share: its arguments, the host's control groups, and how it fails. */
#ifndef BARE_H
#define BARE_H

#define _GNU_SOURCE
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct hierarchy {
    bool unified;
    char mount[256], options[128], group[1024];
};

extern struct hierarchy hierarchies[32];
extern unsigned hierarchy_count;

/* As on the command line: see main.c. */
extern const char *rootfs, *directory, *group;
extern struct sock_fprog filter;

/* Says what failed and why, and ends the process. */
__attribute__((noreturn)) void die(const char *what);
long check(long result, const char *what);

/* Formats into one of four buffers that are used in turn. */
__attribute__((format(printf, 1, 2))) const char *path(const char *format, ...);

/* Opens with O_WRONLY and these flags, writes the text and closes. */
void write_file(const char *file, int flags, const char *text);

/* host.c: what is made and removed outside of the container. */
void find_hierarchies(void);
void make_parents(void);
void make_groups(void);
void remove_groups(void);
void make_directories(void);
void remove_tree(int at, const char *name);

/* inside.c: everything between clone and exec. The two descriptors become stdout and stderr. */
__attribute__((noreturn)) void become_container(const int outputs[2]);

/* mounts.c: the container's file systems, once its root is entered. */
void enter_root(void);
/* `files`: detached mounts of resolv.conf, hostname and hosts, in this order. */
void mount_all(const int files[3]);
void hide_paths(void);

#endif
