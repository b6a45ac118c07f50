/* What happens to the container, each step once: reported, started or failed, exited, finished. */
#include "processstat.h"
#include "report.h"
#include "supervisor.h"

/* PF_FORKNOEXEC of include/linux/sched.h. */
#define NEVER_EXECUTED 0x40

/* A child sends its terminal and one failure. */
#define REPORTS_AT_MOST 4

static void save_status(struct supervisor *supervisor)
{
    if (supervisor->status_file >= 0)
        append_status(supervisor->status_file, &supervisor->status_written, &supervisor->status);
}

static const char *put_cut(char *into, size_t capacity, const char *text)
{
    struct buffer buffer = { into, 0, capacity, false };
    put_text(&buffer, text);
    return put_end(&buffer);
}

/* i32le index, i32le errno, then syscall NUL path. */
static void publish_failure(struct supervisor *supervisor)
{
    const struct status *status = &supervisor->status;
    struct buffer payload = { (char *)supervisor->frame + FRAME_HEADER, 8, CHUNK_SIZE, false };
    set_u32(supervisor->frame + FRAME_HEADER, (uint32_t)status->failed_operation);
    set_u32(supervisor->frame + FRAME_HEADER + 4, (uint32_t)status->failed_error);
    put_text(&payload, status->failed_syscall);
    put_byte(&payload, 0);
    put_text(&payload, status->failed_path);
    set_header(supervisor->frame, FX_FRAME_FAILED, (uint32_t)payload.length);
    publish(supervisor, TO_ALL);
}

void fail_child(struct supervisor *supervisor, int32_t operation, int32_t error,
                const char *syscall, const char *path)
{
    struct status *status = &supervisor->status;
    status->failed = true;
    status->failed_operation = operation;
    status->failed_error = -error;
    status->failed_syscall =
        put_cut(supervisor->failed_syscall, sizeof supervisor->failed_syscall, syscall);
    status->failed_path = put_cut(supervisor->failed_path, sizeof supervisor->failed_path, path);
}

/* From here on a client that takes nothing is not waited for much longer. */
static void start_clocks(struct supervisor *supervisor)
{
    int64_t now = monotonic_ms();
    for (struct client *client = supervisor->clients; client < supervisor->clients + CLIENT_COUNT;
         client++)
        client->progress = now;
}

static void start_flushing(struct supervisor *supervisor)
{
    supervisor->phase = PHASE_FLUSHING;
    close_listener(supervisor);
    start_clocks(supervisor);
}

/* Everything is known but told to nobody yet. */
static void end_failed(struct supervisor *supervisor)
{
    close_input(supervisor);
    kill_and_remove(supervisor);
    save_status(supervisor);
    log_close(&supervisor->log);
    start_flushing(supervisor);
    publish_failure(supervisor);
}

void fail_start(struct supervisor *supervisor, int32_t operation, int32_t error,
                const char *syscall, const char *path)
{
    fail_child(supervisor, operation, error, syscall, path);
    end_failed(supervisor);
}

/* The master of the terminal: output, input and size. */
static void take_terminal(struct supervisor *supervisor, int master)
{
    if (master < 0)
        return;
    sys_fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    supervisor->outputs[0] = master;
    supervisor->terminal = (int)SYSCALL3(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (supervisor->start.rows != 0 || supervisor->start.columns != 0)
        resize_terminal(supervisor, supervisor->start.rows, supervisor->start.columns);
    if (supervisor->input_expected)
        supervisor->input = (int)sys_fcntl(master, F_DUPFD_CLOEXEC, 0);
    supervisor->input_expected = false;
    resume_clients(supervisor);
}

static void on_started(struct supervisor *supervisor)
{
    struct status *status = &supervisor->status;
    status->started_at = epoch_ns();
    supervisor->phase = PHASE_RUNNING;
    save_status(supervisor);
    set_header(supervisor->frame, FX_FRAME_STARTED, 12);
    set_u32(supervisor->frame + FRAME_HEADER, status->init_pid);
    set_u32(supervisor->frame + FRAME_HEADER + 4, (uint32_t)status->init_start);
    set_u32(supervisor->frame + FRAME_HEADER + 8, (uint32_t)(status->init_start >> 32));
    publish(supervisor, TO_ATTACHED);
}

/* The child's end has closed: by exec, after a failure, or because it was killed on the way. */
static void on_report_end(struct supervisor *supervisor)
{
    sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, supervisor->report, NULL);
    sys_close(supervisor->report);
    supervisor->report = -1;
    if (supervisor->status.failed)
        return;
    uint64_t flags = process_stat(supervisor->status.init_pid, STAT_FLAGS);
    if (!supervisor->reaper && flags & NEVER_EXECUTED)
        fail_child(supervisor, -1, -ECHILD, "wait4",
                   "the container was killed while it was set up");
    else
        on_started(supervisor);
}

void on_report(struct supervisor *supervisor)
{
    struct report report;
    int fd;
    long length = receive_with_fd(supervisor->report, &report, sizeof report, MSG_DONTWAIT, &fd);
    if (length == -EAGAIN || length == -EINTR)
        return;
    if (length != (long)sizeof report) {
        on_report_end(supervisor);
    } else if (report.kind == REPORT_TERMINAL) {
        take_terminal(supervisor, fd);
    } else if (!supervisor->status.failed) {
        report.syscall[sizeof report.syscall - 1] = 0;
        report.path[sizeof report.path - 1] = 0;
        fail_child(supervisor, report.operation, report.error, report.syscall, report.path);
    }
}

/* Takes the exit status of the init. */
static void reap(struct supervisor *supervisor)
{
    int wait_status = 0;
    while (sys_wait4((int)supervisor->status.init_pid, &wait_status, 0) == -EINTR)
        ;
    struct status *status = &supervisor->status;
    status->signal = (uint32_t)wait_status & 0x7f;
    status->code = status->signal != 0 ? 128 + status->signal : (uint32_t)wait_status >> 8 & 0xff;
    sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, supervisor->pidfd, NULL);
    sys_close(supervisor->pidfd);
    supervisor->pidfd = -1;
}

void on_init_exit(struct supervisor *supervisor)
{
    /* What it said before; its own end is closed by now, whoever else may have been given one. */
    for (int tries = 0; supervisor->report >= 0 && tries < REPORTS_AT_MOST; tries++)
        on_report(supervisor);
    if (supervisor->report >= 0)
        on_report_end(supervisor);
    uint64_t exited_at = epoch_ns();
    reap(supervisor);
    if (supervisor->status.failed) {
        end_failed(supervisor);
        return;
    }
    supervisor->status.exited_at = exited_at;
    supervisor->status.oom_killed = read_oom_kills(supervisor) > supervisor->oom_kills_before;
    supervisor->input_expected = false;
    close_input(supervisor);
    resume_clients(supervisor);
    kill_and_remove(supervisor);
    pause_outputs(supervisor);
    supervisor->phase = PHASE_DRAINING;
    start_clocks(supervisor);
}

/* The copy that stays when DIRECTORY goes. */
static void save_exit(struct supervisor *supervisor)
{
    const char *path = supervisor->start.exit_file.bytes;
    char temporary[4096], bytes[STATUS_SIZE];
    struct buffer name = { temporary, 0, sizeof temporary, false },
                  text = { bytes, 0, sizeof bytes, false };
    put_text(&name, path);
    put_text(&name, ".tmp");
    put_end(&name);
    if (*path == 0 || name.full)
        return;
    put_status(&text, &supervisor->status);
    CLOSED int file = replace_file(AT_FDCWD, temporary, path, &text);
    (void)file;
}

void finish(struct supervisor *supervisor)
{
    const struct status *status = &supervisor->status;
    log_close(&supervisor->log);
    save_exit(supervisor);
    save_status(supervisor);
    start_flushing(supervisor);
    set_header(supervisor->frame, FX_FRAME_EXITED, 12);
    set_u32(supervisor->frame + FRAME_HEADER, status->code);
    set_u32(supervisor->frame + FRAME_HEADER + 4, status->signal);
    set_u32(supervisor->frame + FRAME_HEADER + 8, status->oom_killed);
    publish(supervisor, TO_ALL);
}
