/*
 * Declarations shared by the files of the addon. Convention: a function that calls the kernel returns 0 (or a
 * count) or a negative errno, and writes into its `struct fault` which system call it was. All descriptors are
 * O_CLOEXEC. Nothing here depends on a version of Node: N-API only.
 */
#ifndef FX_ADDON_H
#define FX_ADDON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define NAPI_VERSION 8

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where an operation failed: the system call, the index in a batch, and what the kernel had to say about it. */
struct fault {
    const char *call;
    uint32_t index;
    /* The object at fault when it is not the one that was asked for, else "". */
    char path[512];
    /* Text of the kernel's own (a file system context's log, a verifier's complaint), else "". */
    char detail[512];
};

/* Notes the call and gives -errno: `return failed(fault, "mkdir")`. */
int failed(struct fault *fault, const char *call);
/* The same with an error that is not in errno. */
int failed_with(struct fault *fault, const char *call, int error);
/* Notes the object, the beginning of a long path being cut off. */
void fault_at(struct fault *fault, const char *path);

/* A flag in memory shared with JavaScript: not 0 when the caller has gone. A null pointer never is. */
typedef const int32_t *cancel_flag;
bool cancelled(cancel_flag flag);

/* For __attribute__((cleanup)): close what is not negative, free, closedir. */
void close_fd(int *fd);
void free_text(char **text);
void close_dir(DIR **dir);
#define AUTO_FD __attribute__((cleanup(close_fd))) int
#define AUTO_TEXT __attribute__((cleanup(free_text))) char *
#define AUTO_DIR __attribute__((cleanup(close_dir))) DIR *

/* bytes.c: reading and writing the packed records that pass between JavaScript and C, little-endian. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
};
/* Each is false when fewer bytes are left than needed; the reader must not be used further then. */
bool read_u32(struct reader *reader, uint32_t *value);
bool read_i64(struct reader *reader, int64_t *value);
bool read_bytes(struct reader *reader, uint32_t length, const uint8_t **bytes);
/* A value (below) without a NUL inside, which would cut a path short. */
bool read_text(struct reader *reader, const char **text);
/* u32 length, the bytes, a NUL. */
bool read_value(struct reader *reader, const uint8_t **bytes, uint32_t *length);

struct writer {
    uint8_t *at;
    uint8_t *end;
};
/* Each is false, with nothing written, when there is no room. */
bool write_u32(struct writer *writer, uint32_t value);
bool write_i64(struct writer *writer, int64_t value);
bool write_value(struct writer *writer, const void *bytes, size_t length);

/* inode_map.c: inodes with several names, and the name each was met under first. Starts out as zeros. */
struct inode_slot;
struct inode_map {
    struct inode_slot *slots;
    size_t capacity, count;
};
/* The name remembered, or null. */
const char *inode_name(const struct inode_map *map, uint64_t device, uint64_t inode);
/* Remembers a copy of the name unless there is one; false without memory. */
bool inode_remember(struct inode_map *map, uint64_t device, uint64_t inode, const char *name);
void inode_map_free(struct inode_map *map);

/* tree.c */
/*
 * Removes `name` below `parent` with all that is in it. Follows no link, crosses no mount (EBUSY); a missing one is
 * fine. Without a flag nobody could stop it: then a tree that takes long is left half removed with EINPROGRESS.
 */
int remove_tree_at(int parent, const char *name, cancel_flag cancel, struct fault *fault);
/* The same by host path. */
int remove_tree(const char *path, cancel_flag cancel, struct fault *fault);
/* Splits a path into its directory and its last component, which must be a name (EINVAL). Both are new memory. */
int split_path(const char *path, char **directory, char **name, struct fault *fault);
/* Bytes of the regular files below, each inode once, on this mount only. */
int measure_tree(const char *path, cancel_flag cancel, uint64_t *bytes, struct fault *fault);

/* copytree.c: makes `to`, EINVAL when it would lie in `from`. What is mounted in `from` is left out. */
int copy_tree(const char *from, const char *to, cancel_flag cancel, struct fault *fault);

/* subvolume.c: ENOTTY where there is no btrfs. */
int make_subvolume(const char *path, struct fault *fault);
int snapshot_subvolume(const char *from, const char *to, struct fault *fault);
/* Whether `name`, which is open, was a subvolume that could be taken away with all that is in it. */
bool destroy_subvolume(int parent, const char *name, int opened);

/* batch.c: see there for the format. */
int run_batch(const uint8_t *bytes, size_t length, cancel_flag cancel, struct fault *fault);
/* mkdir -p; `mode` for every directory that is made. */
int make_directories(const char *path, mode_t mode, struct fault *fault);
/* likeness.c: makes a directory with the looks of another one; one that is there already is left as it is. */
int ensure_like(const char *path, const char *like, struct fault *fault);

/* cgroup.c */
/* rmdir of the directory and its children, once: EBUSY while a process is in one of them. */
int remove_cgroup(const char *path, struct fault *fault);
/* SIGKILL to each process of this directory; the number of processes seen. */
int kill_cgroup(const char *path, struct fault *fault);
/* Attaches a device program in place of those that were attached. */
int attach_devices(const char *path, const void *program, size_t length, struct fault *fault);

/* process.c */
/* Field 22 of the text of /proc/PID/stat, or 0 when it is not one. */
uint64_t parse_start_time(const char *stat);
/* A pidfd of the process if it started then; ESRCH when it has gone. */
int open_process(int pid, uint64_t start, struct fault *fault);
int signal_process(int pid, uint64_t start, int signal, struct fault *fault);

/* root.c */
/* openat2 in `root` as if it were "/": no magic links, never outside. `flags` O_CLOEXEC is added. */
int open_in_root(int root, const char *path, uint64_t flags, uint64_t resolve, struct fault *fault);
/* Opens what an O_PATH descriptor stands for, with `flags`. */
int reopen(int fd, int flags, struct fault *fault);
int open_process_root(int pid, uint64_t start, struct fault *fault);
/* A detached, read-only view of the layers (top first), or with `upper` a writable one. */
int mount_layers(const char *const *lower, uint32_t count, const char *upper, const char *work,
                 struct fault *fault);
/* What a volatile overlay leaves in its work directory: it would refuse to mount again. */
int clear_volatile(const char *work, struct fault *fault);
/* Reads a regular file of at most `limit` bytes into memory of its own. */
int read_in_root(int root, const char *path, uint32_t limit, uint8_t **bytes, size_t *length, struct fault *fault);
/*
 * Pieces of regular files, one after the other into the bytes: i64 offset, u32 length, text path for each. No link is
 * followed. EIO when a file is shorter.
 */
int read_pieces(int root, struct reader pieces, struct writer bytes, cancel_flag cancel, struct fault *fault);
int stat_in_root(int root, const char *path, bool follow, struct stat *status, char *target, struct fault *fault);

/* spawn.c */
/* A memfd with the bytes that nobody can change any more. */
int make_sealed(const char *name, const void *bytes, size_t length, bool executable, struct fault *fault);
/* Starts the image `init` with the spec on fd 3 and a socket on fd 4: the pid. `channel` is the socket's other end. */
int spawn_supervisor(int init, const char *id, const void *spec, size_t length, int *channel, struct fault *fault);
/* 1 when the child has ended and was waited for, 0 while it runs, ECHILD when it is none of ours. */
int reap(int pid);
/* Connects to `attach.sock` in the directory, however long its path is. EAGAIN when the backlog is full. */
int connect_channel(const char *directory, struct fault *fault);

/*
 * Entries of an archive, as walk.c writes them and unpack.c and layer.c read them: u32 kind ENTRY, u32 type, u32 mode, uid,
 * gid, major, minor, nanoseconds, i64 size, i64 seconds, texts path and link, u32 number of extended attributes, for
 * each a text (name) and a value. A value is u32 length, the bytes, a NUL; a text is a value without NUL inside.
 */
enum record {
    RECORD_ENTRY = 1,
    RECORD_DATA = 2,
    RECORD_END = 3,
    RECORD_TIMES = 4,
    /* Of layers only, see layer.h. */
    RECORD_WHITEOUT = 5,
    RECORD_OPAQUE = 6,
    RECORD_REMOVE_LOWER = 7,
    RECORD_CLEAR_LOWER = 8,
    RECORD_PIECE = 9
};
enum entry_type { TYPE_FILE = 1, TYPE_DIR, TYPE_SYMLINK, TYPE_HARDLINK, TYPE_CHAR, TYPE_BLOCK, TYPE_FIFO, TYPE_SOCKET };

/* walk.c: reading a tree as a sequence of entries; each file's is followed by records of data (u32 kind, value). */
struct walk;
/* Takes over `root`, whose `path` is walked; entries are named from `name` on, "" leaves the directory out. */
int walk_open(int root, const char *path, const char *name, bool follow, struct walk **walk, struct fault *fault);
/*
 * A walk that only lists, attributes of overlayfs and sockets too. Takes over `root`. A request: u32 levels to go down,
 * u32 whether it may be missing (then no link of its path is followed, else it is a directory), texts path and name.
 */
int list_open(int root, const uint8_t *requests, size_t length, struct walk **walk, struct fault *fault);
/* Fills the buffer with whole records; the number of bytes, 0 at the end. */
int walk_next(struct walk *walk, uint8_t *bytes, size_t length, cancel_flag cancel, struct fault *fault);
void walk_close(struct walk *walk);

/*
 * unpack.c: making entries below a directory. Records: an entry; data of a file (u32 kind, i64 offset, value); the
 * end of an entry (u32 kind); times of a directory when all in it is made (u32 kind, u32 nanoseconds, i64 seconds,
 * text path).
 */
struct unpack;
struct unpack_options {
    /* A directory is not replaced by something else nor the other way round. */
    bool strict;
    /* Owner of directories that the archive only implies. */
    uid_t uid;
    gid_t gid;
};
/* Takes over `root`. */
int unpack_open(int root, const char *path, struct unpack_options options, struct unpack **unpack,
                struct fault *fault);
int unpack_run(struct unpack *unpack, const uint8_t *bytes, size_t length, cancel_flag cancel, struct fault *fault);
void unpack_close(struct unpack *unpack);

#endif
