/* The functions of log.h that touch files. */
#include "log.h"
#include "syscall.h"

/* Mode of docker's own log files. */
#define LOG_MODE 0640

static int open_file(struct log *log)
{
    log->size = 0;
    log->fd = sys_openat(AT_FDCWD, log->path,
                         O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, LOG_MODE);
    if (log->fd < 0)
        return log->fd;
    struct statx status;
    if (sys_statx(log->fd, "", AT_EMPTY_PATH, STATX_SIZE, &status) == 0)
        log->size = status.stx_size;
    return 0;
}

int log_open(struct log *log, struct log_room *room, const char *path, uint64_t max_size,
             uint32_t max_files)
{
    log->path = path;
    log->max_size = max_size;
    log->max_files = max_files;
    log->pending = (struct buffer){ room->pending, 0, sizeof room->pending, false };
    for (unsigned stream = 0; stream < 2; stream++)
        log->lines[stream].bytes = room->lines[stream];
    return open_file(log);
}

static void flush(struct log *log)
{
    uint64_t before = log->size - log->pending.length;
    for (size_t at = 0; at < log->pending.length;) {
        long written = sys_write(log->fd, log->pending.bytes + at, log->pending.length - at);
        if (written == -EINTR)
            continue;
        if (written <= 0) {
            sys_ftruncate(log->fd, before);
            log->size = before;
            break;
        }
        at += (size_t)written;
    }
    log->pending.length = 0;
}

/* As docker: with one file it is emptied, else each moves up by one and the last is overwritten. */
static void rotate(struct log *log)
{
    char from[4096], to[4096];
    if (log->max_files < 2) {
        if (sys_ftruncate(log->fd, 0) == 0)
            log->size = 0;
        return;
    }
    for (uint32_t number = log->max_files - 1; number > 1; number--)
        if (log_rotated_name(from, sizeof from, log->path, number - 1) != NULL &&
            log_rotated_name(to, sizeof to, log->path, number) != NULL)
            sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
    if (log_rotated_name(to, sizeof to, log->path, 1) == NULL ||
        sys_renameat2(AT_FDCWD, log->path, AT_FDCWD, to, 0) < 0)
        return;
    int old = log->fd;
    if (open_file(log) < 0)
        log->fd = old;
    else
        sys_close(old);
}

struct entry_target {
    struct log *log;
    const char *stream;
};

static void write_entry(void *to, const char *time, const uint8_t *text, size_t length,
                        bool newline)
{
    const struct entry_target *target = to;
    struct log *log = target->log;
    if (log->max_size != 0 && log->size >= log->max_size) {
        flush(log);
        rotate(log);
    }
    if (log->pending.capacity - log->pending.length < length * 6 + LOG_ENTRY_FRAME)
        flush(log);
    size_t before = log->pending.length;
    put_log_entry(&log->pending, target->stream, time, text, length, newline);
    log->size += log->pending.length - before;
}

static void now(char time[LOG_TIME_SIZE])
{
    struct __kernel_timespec clock;
    sys_clock(CLOCK_REALTIME, &clock);
    format_time(time, clock.tv_sec, (uint32_t)clock.tv_nsec);
}

static const char *const stream_names[2] = { "stdout", "stderr" };

void log_output(struct log *log, unsigned stream, const uint8_t *bytes, size_t length)
{
    if (log->fd < 0)
        return;
    char time[LOG_TIME_SIZE];
    now(time);
    struct entry_target target = { log, stream_names[stream] };
    log_split(&log->lines[stream], time, bytes, length, write_entry, &target);
    flush(log);
}

void log_close(struct log *log)
{
    if (log->fd < 0)
        return;
    char time[LOG_TIME_SIZE];
    now(time);
    for (unsigned stream = 0; stream < 2; stream++) {
        struct entry_target target = { log, stream_names[stream] };
        log_finish(&log->lines[stream], time, write_entry, &target);
    }
    flush(log);
    sys_close(log->fd);
    log->fd = -1;
}
