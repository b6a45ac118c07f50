/*
 * The process between clone and exec: what its operations share, and one function per operation.
 * Each returns 0 or a negative errno with `child->failure` set. None allocates; the process ends by
 * exec or exit.
 */
#ifndef FX_CHILD_H
#define FX_CHILD_H

#include "../ops.h"
#include "failure.h"
#include "syscall.h"
#include "text.h"

#define PATH_LIMIT 4096
#define SLOT_COUNT 256
/* Different processes that one program may name. */
#define PROCESS_COUNT 16
/* File systems made ahead of the pivot in a user namespace: /proc and /sys. */
#define PREPARED_COUNT 4

struct opened_process {
    uint32_t pid;
    uint64_t start_time;
    int pidfd;
};

struct child {
    const struct fx_start *start;
    struct fx_reader program;
    uint32_t program_count;
    /* The bytes of the specification: unmapped by a reaper. */
    const void *bytes;
    size_t bytes_length;
    /* Socket to the supervisor; see report.h. */
    int report;
    /* "/" (O_PATH) as all container paths are resolved in; −1: to be opened. */
    int root;
    /*
     * Processes that operations name, opened before the clone: a pid means nothing in another pid
     * namespace.
     */
    struct opened_process processes[PROCESS_COUNT];
    unsigned process_count;
    /* The root's mount, when the supervisor made it; −1 otherwise. */
    int overlay;
    /* The pty's slave; −1: none yet. */
    int terminal;
    /* A mount of the shared empty directory, once there is one. */
    int empty_directory;
    /* fd + 1 of each open tree; 0: none. */
    uint16_t slots[SLOT_COUNT];
    uint32_t operation;
    /* The directory that the last operation worked in, −1: none; `path` begins with its path. */
    struct kept_parent {
        int fd;
        uint32_t operation;
        const char *path;
        size_t length;
    } parent;
    struct {
        uint32_t operation;
        int mount;
    } prepared[PREPARED_COUNT];
    unsigned prepared_count;
    bool umask_set;
    struct failure failure;
};

/* For paths in failures that are put together. */
extern char child_scratch[PATH_LIMIT];

/* Performs the program and does not return. */
__attribute__((noreturn)) void run_child(struct child *child);

/* Performs one operation; without a child it is only read: 0, or −EPROTO for malformed fields. */
int perform(struct child *child, struct fx_op *op);

/* Sends the failure of operation `index` to the supervisor. */
void report_failure(struct child *child, uint32_t index);

/* Writes all of `value` to an existing file by one write(2). */
int write_file(struct failure *failure, const char *path, const char *value, size_t length);

/* namespaces.c */
int op_cgroup_attach(struct child *child, const struct fx_cgroup_attach *op);
int op_namespace_unshare(struct child *child, const struct fx_namespace_unshare *op);
int op_namespace_join(struct child *child, const struct fx_namespace_join *op);
int op_namespace_enter(struct child *child, const struct fx_namespace_enter *op);
int op_time_namespace(struct child *child, const struct fx_time_namespace *op);
/* A pidfd of the process that has this pid and start time; −ESRCH when that one has gone. */
int open_process(struct failure *failure, uint32_t pid, uint64_t start_time);
/*
 * Before the clone: opens the processes that the program names. Those that have gone are reported
 * by their operation.
 */
void open_processes(struct child *child, struct fx_reader program);
/* The pidfd of one of those, which stays the child's; −ESRCH when it was not there. */
int find_process(struct child *child, uint32_t pid, uint64_t start_time);

/* root.c */
int op_mount_propagation(struct child *child, const struct fx_mount_propagation *op);
int op_tree_open(struct child *child, const struct fx_tree_open *op);
/*
 * Opens all trees that can be opened into their slots: by the host's root, for a child that is not.
 */
void open_trees(struct child *child, struct fx_reader program);
int op_root_overlay(struct child *child, const struct fx_root_overlay *op);
int op_root_bind(struct child *child, const struct fx_root_bind *op);
int op_pivot_root(struct child *child, const struct fx_pivot_root *op);
int op_mount_attributes(struct child *child, const struct fx_mount_attributes *op);

/* nodes.c */
int op_dir_make(struct child *child, const struct fx_dir_make *op);
int op_symlink_make(struct child *child, const struct fx_symlink_make *op);
int op_node_make(struct child *child, const struct fx_node_make *op);

/* filesystem.c */
int op_mount_filesystem(struct child *child, const struct fx_mount_filesystem *op);
int op_mount_devpts(struct child *child, const struct fx_mount_devpts *op);
/*
 * In a user namespace, makes the file systems that need the host's /proc and /sys in view: before
 * the pivot.
 */
int prepare_filesystems(struct child *child);
/* Makes a file system and mounts it on nothing: the mount's fd. `target` is for failures only. */
int make_filesystem(struct child *child, const char *type, const char *source,
                    const struct fx_list *options, unsigned attributes, const char *target);

/*
 * copyup.c: copies what is in the directory `from` into `to`, with all that belongs to it; the
 * directory's own attributes and times too, the latter from `status`.
 */
int copy_tree(struct child *child, int from, int to, const struct statx *status, const char *path);
/* attributes.c: copies the extended attributes of an open file that the other one can have. */
int copy_attributes(int from, int to);

/* tree.c */
int op_mount_tree(struct child *child, const struct fx_mount_tree *op);
int op_mask_paths(struct child *child, const struct fx_mask_paths *op);
int op_readonly_paths(struct child *child, const struct fx_readonly_paths *op);
/* Moves a mount onto an open target. */
int attach_mount(struct child *child, int mount, int target, const char *path);
/* mount_setattr(2) as the three attribute fields and the propagation (MS_*, 0: none) say. */
int set_attributes(struct failure *failure, int mount, uint32_t set, uint32_t clear, bool recursive,
                   uint32_t propagation, const char *path);

/* settings.c */
int op_hostname(struct child *child, const struct fx_hostname *op);
int op_domainname(struct child *child, const struct fx_domainname *op);
int op_oom_score_adjust(struct child *child, const struct fx_oom_score_adjust *op);
int op_sysctl(struct child *child, const struct fx_sysctl *op);
int op_rlimit(struct child *child, const struct fx_rlimit *op);
int op_keyring(struct child *child, const struct fx_keyring *op);
int op_personality(struct child *child, const struct fx_personality *op);
int op_umask(struct child *child, const struct fx_umask *op);

/* loopback.c */
int op_loopback_up(struct child *child);

/* terminal.c */
int op_console(struct child *child, const struct fx_console *op);
/* Opens a pty on the devpts mounted as `mount`, sizes it and gives the master to the supervisor. */
int open_terminal(struct child *child, int mount, const char *path);

/* credentials.c */
int op_no_new_privileges(struct child *child);
int op_seccomp(struct child *child, const struct fx_seccomp *op);
int op_bounding_set(struct child *child, const struct fx_bounding_set *op);
int op_user(struct child *child, const struct fx_user *op);
int op_capabilities(struct child *child, const struct fx_capabilities *op);
/* In a user namespace whose maps are written: becomes its root. */
int become_namespace_root(struct child *child);

/* program.c */
int op_working_directory(struct child *child, const struct fx_working_directory *op);
/* Returns only on failure. */
int op_exec(struct child *child, const struct fx_exec *op);

/*
 * reaper.c: forks; returns 0 in the child, a negative errno on failure, and stays as pid 1 in the
 * parent.
 */
int stay_as_reaper(struct child *child);

/* memory.c: gives back the code that is in no part that lasts; see sections.ld. */
void forget_setup_code(void);

#endif
