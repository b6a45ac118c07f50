/*
 * The container's log: one file of json lines, rotated by size. A log that cannot be written (disk
 * full) loses lines, never parts of lines, and never stops the container.
 */
#ifndef FX_LOG_H
#define FX_LOG_H

#include "jsonlog.h"

/* An entry of the longest line whose every byte needs an escape of six, in whole pages. */
#define LOG_BUFFER ((LOG_LINE_LIMIT * 6 + LOG_ENTRY_FRAME + 4095) & ~4095)

/* What a log needs to work, and nothing of it once all is written and no line is begun. */
struct log_room {
    uint8_t lines[2][LOG_LINE_LIMIT] __attribute__((aligned(4096)));
    char pending[LOG_BUFFER];
};

struct log {
    int fd;
    const char *path;
    /* Bytes in the current file, those in `pending` included. */
    uint64_t size;
    uint64_t max_size;
    uint32_t max_files;
    struct buffer pending;
    struct log_line lines[2];
};

/* Opens or makes the file for appending; 0 or a negative errno. */
int log_open(struct log *log, struct log_room *room, const char *path, uint64_t max_size,
             uint32_t max_files);

/* Logs what `stream` (0 stdout, 1 stderr) said. Nothing when no log is open. */
void log_output(struct log *log, unsigned stream, const uint8_t *bytes, size_t length);

/* Writes what is left of both streams and closes. */
void log_close(struct log *log);

/* Pure: the name of rotated file `number`, `path.number`; NULL when it does not fit. */
const char *log_rotated_name(char *into, size_t capacity, const char *path, uint32_t number);

#endif
