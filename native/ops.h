/*
 * Made by scripts/generateOps.ts from src/domain/kernel/wireTable.ts: change that and run it again.
 *
 * Structures point into the bytes they were read from. A reader returns false when the bytes end early
 * or are not of the given kind; the structure is then undefined.
 */
#ifndef FX_OPS_H
#define FX_OPS_H

#include "init/wire.h"

#define FX_WIRE_MAGIC 0x31495846u
#define FX_WIRE_LAYOUT 0xa12f86a8u
#define FX_FRAME_PAYLOAD_LIMIT 65536u

enum fx_frame {
    FX_FRAME_STDIN = 0,
    FX_FRAME_STDOUT = 1,
    FX_FRAME_STDERR = 2,
    FX_FRAME_STARTED = 16,
    FX_FRAME_FAILED = 17,
    FX_FRAME_EXITED = 18,
    FX_FRAME_STDIN_END = 32,
    FX_FRAME_RESIZE = 33,
    FX_FRAME_ATTACH = 34,
};

enum fx_attach {
    FX_ATTACH_STDOUT = 1,
    FX_ATTACH_STDERR = 2,
    FX_ATTACH_STDIN = 4,
    FX_ATTACH_CLAIM = 8,
};

enum fx_stdin {
    FX_STDIN_NULL = 0,
    FX_STDIN_OPEN = 1,
    FX_STDIN_ONCE = 2,
};

enum fx_opcode {
    FX_OP_CGROUP_ATTACH = 1,
    FX_OP_NAMESPACE_UNSHARE = 2,
    FX_OP_NAMESPACE_JOIN = 3,
    FX_OP_NAMESPACE_ENTER = 4,
    FX_OP_TIME_NAMESPACE = 5,
    FX_OP_HOSTNAME = 6,
    FX_OP_DOMAINNAME = 7,
    FX_OP_MOUNT_PROPAGATION = 8,
    FX_OP_OOM_SCORE_ADJUST = 9,
    FX_OP_TREE_OPEN = 10,
    FX_OP_ROOT_OVERLAY = 11,
    FX_OP_PIVOT_ROOT = 12,
    FX_OP_DIR_MAKE = 13,
    FX_OP_SYMLINK_MAKE = 14,
    FX_OP_NODE_MAKE = 15,
    FX_OP_MOUNT_FILESYSTEM = 16,
    FX_OP_MOUNT_DEVPTS = 17,
    FX_OP_MOUNT_TREE = 18,
    FX_OP_MASK_PATHS = 19,
    FX_OP_READONLY_PATHS = 20,
    FX_OP_MOUNT_ATTRIBUTES = 21,
    FX_OP_SYSCTL = 22,
    FX_OP_LOOPBACK_UP = 23,
    FX_OP_CONSOLE = 24,
    FX_OP_RLIMIT = 25,
    FX_OP_KEYRING = 26,
    FX_OP_PERSONALITY = 27,
    FX_OP_UMASK = 28,
    FX_OP_NO_NEW_PRIVILEGES = 29,
    FX_OP_SECCOMP = 30,
    FX_OP_BOUNDING_SET = 31,
    FX_OP_USER = 32,
    FX_OP_CAPABILITIES = 33,
    FX_OP_WORKING_DIRECTORY = 34,
    FX_OP_EXEC = 35,
    FX_OP_ROOT_BIND = 36,
};

struct fx_start {
    uint32_t attach;
    struct fx_text id;
    struct fx_text directory;
    struct fx_text exit_file;
    struct fx_text log_path;
    uint64_t log_max_size;
    uint32_t log_max_files;
    uint32_t terminal;
    uint32_t rows;
    uint32_t columns;
    uint32_t stdin;
    uint32_t namespaces;
    struct fx_text pid_namespace_path;
    uint32_t pid_namespace_pid;
    uint64_t pid_namespace_start_time;
    struct fx_text cgroup;
    struct fx_text uid_map;
    struct fx_text gid_map;
    uint32_t outside_uid;
    uint32_t outside_gid;
    struct fx_list kill_files;
    struct fx_list kill_procs;
    struct fx_list remove_directories;
    struct fx_text oom_file;
    struct fx_list on_exit;
};

static inline bool read_fx_start(struct fx_reader *reader, struct fx_start *into)
{
    return fx_read_u32(reader, &into->attach)
        && fx_read_text(reader, &into->id)
        && fx_read_text(reader, &into->directory)
        && fx_read_text(reader, &into->exit_file)
        && fx_read_text(reader, &into->log_path)
        && fx_read_u64(reader, &into->log_max_size)
        && fx_read_u32(reader, &into->log_max_files)
        && fx_read_u32(reader, &into->terminal)
        && fx_read_u32(reader, &into->rows)
        && fx_read_u32(reader, &into->columns)
        && fx_read_u32(reader, &into->stdin)
        && fx_read_u32(reader, &into->namespaces)
        && fx_read_text(reader, &into->pid_namespace_path)
        && fx_read_u32(reader, &into->pid_namespace_pid)
        && fx_read_u64(reader, &into->pid_namespace_start_time)
        && fx_read_text(reader, &into->cgroup)
        && fx_read_text(reader, &into->uid_map)
        && fx_read_text(reader, &into->gid_map)
        && fx_read_u32(reader, &into->outside_uid)
        && fx_read_u32(reader, &into->outside_gid)
        && fx_read_texts(reader, &into->kill_files)
        && fx_read_texts(reader, &into->kill_procs)
        && fx_read_texts(reader, &into->remove_directories)
        && fx_read_text(reader, &into->oom_file)
        && fx_read_texts(reader, &into->on_exit);
}

#define FX_EACH_OP(X) \
    X(FX_OP_CGROUP_ATTACH, cgroup_attach) \
    X(FX_OP_NAMESPACE_UNSHARE, namespace_unshare) \
    X(FX_OP_NAMESPACE_JOIN, namespace_join) \
    X(FX_OP_NAMESPACE_ENTER, namespace_enter) \
    X(FX_OP_TIME_NAMESPACE, time_namespace) \
    X(FX_OP_HOSTNAME, hostname) \
    X(FX_OP_DOMAINNAME, domainname) \
    X(FX_OP_MOUNT_PROPAGATION, mount_propagation) \
    X(FX_OP_OOM_SCORE_ADJUST, oom_score_adjust) \
    X(FX_OP_TREE_OPEN, tree_open) \
    X(FX_OP_ROOT_OVERLAY, root_overlay) \
    X(FX_OP_PIVOT_ROOT, pivot_root) \
    X(FX_OP_DIR_MAKE, dir_make) \
    X(FX_OP_SYMLINK_MAKE, symlink_make) \
    X(FX_OP_NODE_MAKE, node_make) \
    X(FX_OP_MOUNT_FILESYSTEM, mount_filesystem) \
    X(FX_OP_MOUNT_DEVPTS, mount_devpts) \
    X(FX_OP_MOUNT_TREE, mount_tree) \
    X(FX_OP_MASK_PATHS, mask_paths) \
    X(FX_OP_READONLY_PATHS, readonly_paths) \
    X(FX_OP_MOUNT_ATTRIBUTES, mount_attributes) \
    X(FX_OP_SYSCTL, sysctl) \
    X(FX_OP_CONSOLE, console) \
    X(FX_OP_RLIMIT, rlimit) \
    X(FX_OP_KEYRING, keyring) \
    X(FX_OP_PERSONALITY, personality) \
    X(FX_OP_UMASK, umask) \
    X(FX_OP_SECCOMP, seccomp) \
    X(FX_OP_BOUNDING_SET, bounding_set) \
    X(FX_OP_USER, user) \
    X(FX_OP_CAPABILITIES, capabilities) \
    X(FX_OP_WORKING_DIRECTORY, working_directory) \
    X(FX_OP_EXEC, exec) \
    X(FX_OP_ROOT_BIND, root_bind)

#define FX_EACH_EMPTY_OP(X) \
    X(FX_OP_LOOPBACK_UP, loopback_up) \
    X(FX_OP_NO_NEW_PRIVILEGES, no_new_privileges)

struct fx_cgroup_attach {
    struct fx_list files;
};

static inline bool read_fx_cgroup_attach(struct fx_reader *reader, struct fx_cgroup_attach *into)
{
    return fx_read_texts(reader, &into->files);
}

struct fx_namespace_unshare {
    uint32_t kinds;
};

static inline bool read_fx_namespace_unshare(struct fx_reader *reader, struct fx_namespace_unshare *into)
{
    return fx_read_u32(reader, &into->kinds);
}

struct fx_namespace_join {
    uint32_t kind;
    struct fx_text path;
};

static inline bool read_fx_namespace_join(struct fx_reader *reader, struct fx_namespace_join *into)
{
    return fx_read_u32(reader, &into->kind)
        && fx_read_text(reader, &into->path);
}

struct fx_namespace_enter {
    uint32_t pid;
    uint64_t start_time;
    uint32_t kinds;
};

static inline bool read_fx_namespace_enter(struct fx_reader *reader, struct fx_namespace_enter *into)
{
    return fx_read_u32(reader, &into->pid)
        && fx_read_u64(reader, &into->start_time)
        && fx_read_u32(reader, &into->kinds);
}

struct fx_time_namespace {
    struct fx_text offsets;
};

static inline bool read_fx_time_namespace(struct fx_reader *reader, struct fx_time_namespace *into)
{
    return fx_read_text(reader, &into->offsets);
}

struct fx_hostname {
    struct fx_text name;
};

static inline bool read_fx_hostname(struct fx_reader *reader, struct fx_hostname *into)
{
    return fx_read_text(reader, &into->name);
}

struct fx_domainname {
    struct fx_text name;
};

static inline bool read_fx_domainname(struct fx_reader *reader, struct fx_domainname *into)
{
    return fx_read_text(reader, &into->name);
}

struct fx_mount_propagation {
    struct fx_text path;
    uint32_t propagation;
};

static inline bool read_fx_mount_propagation(struct fx_reader *reader, struct fx_mount_propagation *into)
{
    return fx_read_text(reader, &into->path)
        && fx_read_u32(reader, &into->propagation);
}

struct fx_oom_score_adjust {
    struct fx_text value;
};

static inline bool read_fx_oom_score_adjust(struct fx_reader *reader, struct fx_oom_score_adjust *into)
{
    return fx_read_text(reader, &into->value);
}

struct fx_tree_open {
    uint32_t slot;
    struct fx_text source;
    uint32_t recursive;
    uint32_t within_pid;
    uint64_t within_start_time;
};

static inline bool read_fx_tree_open(struct fx_reader *reader, struct fx_tree_open *into)
{
    return fx_read_u32(reader, &into->slot)
        && fx_read_text(reader, &into->source)
        && fx_read_u32(reader, &into->recursive)
        && fx_read_u32(reader, &into->within_pid)
        && fx_read_u64(reader, &into->within_start_time);
}

struct fx_root_overlay {
    struct fx_text at;
    struct fx_list lower;
    struct fx_text upper;
    struct fx_text work;
    uint32_t without_sync;
};

static inline bool read_fx_root_overlay(struct fx_reader *reader, struct fx_root_overlay *into)
{
    return fx_read_text(reader, &into->at)
        && fx_read_texts(reader, &into->lower)
        && fx_read_text(reader, &into->upper)
        && fx_read_text(reader, &into->work)
        && fx_read_u32(reader, &into->without_sync);
}

struct fx_pivot_root {
    struct fx_text at;
};

static inline bool read_fx_pivot_root(struct fx_reader *reader, struct fx_pivot_root *into)
{
    return fx_read_text(reader, &into->at);
}

struct fx_dir_make {
    struct fx_text path;
    uint32_t mode;
};

static inline bool read_fx_dir_make(struct fx_reader *reader, struct fx_dir_make *into)
{
    return fx_read_text(reader, &into->path)
        && fx_read_u32(reader, &into->mode);
}

struct fx_symlink_make {
    struct fx_text target;
    struct fx_text path;
};

static inline bool read_fx_symlink_make(struct fx_reader *reader, struct fx_symlink_make *into)
{
    return fx_read_text(reader, &into->target)
        && fx_read_text(reader, &into->path);
}

struct fx_node_make {
    struct fx_text path;
    uint32_t type;
    uint32_t mode;
    uint32_t major;
    uint32_t minor;
    uint32_t uid;
    uint32_t gid;
};

static inline bool read_fx_node_make(struct fx_reader *reader, struct fx_node_make *into)
{
    return fx_read_text(reader, &into->path)
        && fx_read_u32(reader, &into->type)
        && fx_read_u32(reader, &into->mode)
        && fx_read_u32(reader, &into->major)
        && fx_read_u32(reader, &into->minor)
        && fx_read_u32(reader, &into->uid)
        && fx_read_u32(reader, &into->gid);
}

struct fx_mount_filesystem {
    struct fx_text type;
    struct fx_text source;
    struct fx_text target;
    uint32_t strict;
    struct fx_list options;
    uint32_t attributes_set;
    uint32_t attributes_clear;
    uint32_t attributes_recursive;
    uint32_t copy_up;
};

static inline bool read_fx_mount_filesystem(struct fx_reader *reader, struct fx_mount_filesystem *into)
{
    return fx_read_text(reader, &into->type)
        && fx_read_text(reader, &into->source)
        && fx_read_text(reader, &into->target)
        && fx_read_u32(reader, &into->strict)
        && fx_read_options(reader, &into->options)
        && fx_read_u32(reader, &into->attributes_set)
        && fx_read_u32(reader, &into->attributes_clear)
        && fx_read_u32(reader, &into->attributes_recursive)
        && fx_read_u32(reader, &into->copy_up);
}

struct fx_mount_devpts {
    struct fx_text target;
    struct fx_list options;
    uint32_t console;
};

static inline bool read_fx_mount_devpts(struct fx_reader *reader, struct fx_mount_devpts *into)
{
    return fx_read_text(reader, &into->target)
        && fx_read_options(reader, &into->options)
        && fx_read_u32(reader, &into->console);
}

struct fx_mount_tree {
    uint32_t slot;
    struct fx_text target;
    uint32_t attributes_set;
    uint32_t attributes_clear;
    uint32_t attributes_recursive;
    uint32_t propagation;
};

static inline bool read_fx_mount_tree(struct fx_reader *reader, struct fx_mount_tree *into)
{
    return fx_read_u32(reader, &into->slot)
        && fx_read_text(reader, &into->target)
        && fx_read_u32(reader, &into->attributes_set)
        && fx_read_u32(reader, &into->attributes_clear)
        && fx_read_u32(reader, &into->attributes_recursive)
        && fx_read_u32(reader, &into->propagation);
}

struct fx_mask_paths {
    struct fx_list paths;
};

static inline bool read_fx_mask_paths(struct fx_reader *reader, struct fx_mask_paths *into)
{
    return fx_read_texts(reader, &into->paths);
}

struct fx_readonly_paths {
    struct fx_list paths;
};

static inline bool read_fx_readonly_paths(struct fx_reader *reader, struct fx_readonly_paths *into)
{
    return fx_read_texts(reader, &into->paths);
}

struct fx_mount_attributes {
    struct fx_text path;
    uint32_t attributes_set;
    uint32_t attributes_clear;
    uint32_t attributes_recursive;
    uint32_t propagation;
};

static inline bool read_fx_mount_attributes(struct fx_reader *reader, struct fx_mount_attributes *into)
{
    return fx_read_text(reader, &into->path)
        && fx_read_u32(reader, &into->attributes_set)
        && fx_read_u32(reader, &into->attributes_clear)
        && fx_read_u32(reader, &into->attributes_recursive)
        && fx_read_u32(reader, &into->propagation);
}

struct fx_sysctl {
    struct fx_text key;
    struct fx_text value;
};

static inline bool read_fx_sysctl(struct fx_reader *reader, struct fx_sysctl *into)
{
    return fx_read_text(reader, &into->key)
        && fx_read_text(reader, &into->value);
}

struct fx_console {
    uint32_t open;
    uint32_t bind_console;
};

static inline bool read_fx_console(struct fx_reader *reader, struct fx_console *into)
{
    return fx_read_u32(reader, &into->open)
        && fx_read_u32(reader, &into->bind_console);
}

struct fx_rlimit {
    uint32_t resource;
    uint64_t soft;
    uint64_t hard;
};

static inline bool read_fx_rlimit(struct fx_reader *reader, struct fx_rlimit *into)
{
    return fx_read_u32(reader, &into->resource)
        && fx_read_u64(reader, &into->soft)
        && fx_read_u64(reader, &into->hard);
}

struct fx_keyring {
    struct fx_text name;
};

static inline bool read_fx_keyring(struct fx_reader *reader, struct fx_keyring *into)
{
    return fx_read_text(reader, &into->name);
}

struct fx_personality {
    uint32_t persona;
};

static inline bool read_fx_personality(struct fx_reader *reader, struct fx_personality *into)
{
    return fx_read_u32(reader, &into->persona);
}

struct fx_umask {
    uint32_t mask;
};

static inline bool read_fx_umask(struct fx_reader *reader, struct fx_umask *into)
{
    return fx_read_u32(reader, &into->mask);
}

struct fx_seccomp {
    uint32_t flags;
    struct fx_bytes filter;
};

static inline bool read_fx_seccomp(struct fx_reader *reader, struct fx_seccomp *into)
{
    return fx_read_u32(reader, &into->flags)
        && fx_read_bytes(reader, &into->filter);
}

struct fx_bounding_set {
    uint64_t capabilities;
};

static inline bool read_fx_bounding_set(struct fx_reader *reader, struct fx_bounding_set *into)
{
    return fx_read_u64(reader, &into->capabilities);
}

struct fx_user {
    uint32_t uid;
    uint32_t gid;
    struct fx_list groups;
};

static inline bool read_fx_user(struct fx_reader *reader, struct fx_user *into)
{
    return fx_read_u32(reader, &into->uid)
        && fx_read_u32(reader, &into->gid)
        && fx_read_words(reader, &into->groups);
}

struct fx_capabilities {
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
    uint64_t ambient;
};

static inline bool read_fx_capabilities(struct fx_reader *reader, struct fx_capabilities *into)
{
    return fx_read_u64(reader, &into->effective)
        && fx_read_u64(reader, &into->permitted)
        && fx_read_u64(reader, &into->inheritable)
        && fx_read_u64(reader, &into->ambient);
}

struct fx_working_directory {
    struct fx_text path;
    uint32_t create;
};

static inline bool read_fx_working_directory(struct fx_reader *reader, struct fx_working_directory *into)
{
    return fx_read_text(reader, &into->path)
        && fx_read_u32(reader, &into->create);
}

struct fx_exec {
    struct fx_list argv;
    struct fx_list env;
    uint32_t reaper;
};

static inline bool read_fx_exec(struct fx_reader *reader, struct fx_exec *into)
{
    return fx_read_texts(reader, &into->argv)
        && fx_read_texts(reader, &into->env)
        && fx_read_u32(reader, &into->reaper);
}

struct fx_root_bind {
    struct fx_text at;
    struct fx_text source;
};

static inline bool read_fx_root_bind(struct fx_reader *reader, struct fx_root_bind *into)
{
    return fx_read_text(reader, &into->at)
        && fx_read_text(reader, &into->source);
}

#endif
