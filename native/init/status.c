/* The text of a status; see statusfile.c for the writing. */
#include "status.h"

static void put_line_text(struct buffer *text, const char *path)
{
    for (; *path; path++)
        put_byte(text, *path == '\n' ? '?' : *path);
}

static void put_identity(struct buffer *text, const char *fact, uint32_t pid, uint64_t start)
{
    put_text(text, fact);
    put_number(text, pid);
    put_byte(text, ' ');
    put_number(text, start);
    put_byte(text, '\n');
}

static void put_failure(struct buffer *text, const struct status *status)
{
    put_text(text, "failed ");
    put_signed(text, status->failed_operation);
    put_byte(text, ' ');
    put_signed(text, status->failed_error);
    put_byte(text, ' ');
    put_text(text, status->failed_syscall);
    put_byte(text, ' ');
    put_line_text(text, status->failed_path);
    put_byte(text, '\n');
}

static void put_exit(struct buffer *text, const struct status *status)
{
    put_text(text, "exited ");
    put_number(text, status->exited_at);
    put_byte(text, ' ');
    put_number(text, status->code);
    put_byte(text, ' ');
    put_number(text, status->signal);
    put_text(text, status->oom_killed ? " 1\n" : " 0\n");
}

void put_status(struct buffer *text, const struct status *status)
{
    put_identity(text, "supervisor ", status->supervisor_pid, status->supervisor_start);
    if (status->init_pid != 0)
        put_identity(text, "init ", status->init_pid, status->init_start);
    if (status->started_at != 0) {
        put_text(text, "started ");
        put_number(text, status->started_at);
        put_byte(text, '\n');
    }
    if (status->failed)
        put_failure(text, status);
    if (status->exited_at != 0)
        put_exit(text, status);
}
