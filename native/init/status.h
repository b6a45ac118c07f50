/*
 * What the supervisor leaves behind: the facts in DIRECTORY/status and, at the end, in the exit
 * file. The text is that of `formatStatus` in src/domain/kernel/Supervisor.ts.
 */
#ifndef FX_STATUS_H
#define FX_STATUS_H

#include "text.h"

struct status {
    uint32_t supervisor_pid;
    uint64_t supervisor_start;
    /* 0: not cloned yet. */
    uint32_t init_pid;
    uint64_t init_start;
    /* Nanoseconds since the epoch; 0: not yet. */
    uint64_t started_at;
    uint64_t exited_at;
    bool failed;
    /* Index of the operation, −1: before the program. A positive errno. */
    int32_t failed_operation;
    int32_t failed_error;
    /* Kept by whoever fills this in: a container that runs has none. */
    const char *failed_syscall;
    const char *failed_path;
    uint32_t code;
    uint32_t signal;
    bool oom_killed;
};

/* Pure. A newline in a path becomes "?". */
void put_status(struct buffer *text, const struct status *status);

/*
 * Writes `text` as `name` in `directory`, by way of `temporary`, so that a reader sees the old file
 * or the new. The new file's fd, open for appending, or a negative errno.
 */
int replace_file(int directory, const char *temporary, const char *name, const struct buffer *text);

/*
 * Brings a file that holds the first `*written` bytes of the status up to date by one append: its
 * facts only ever grow in number, and a reader sees all of an append or nothing. 0 or a negative
 * errno.
 */
int append_status(int file, size_t *written, const struct status *status);

/* The longest text of a status. */
#define STATUS_SIZE 1536

#endif
