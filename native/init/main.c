/*
 * fx-init ID: fd 3 holds the specification, fd 4 is the first client's socket, already attached.
 * Sets the process up as the supervisor of one container, which it then serves to its end.
 */
#include "child.h"
#include "processstat.h"
#include "start.h"
#include "supervisor.h"

#define SPECIFICATION_FD 3
#define CLIENT_FD 4

/* Larger is no program that anybody made. */
#define SPECIFICATION_LIMIT (64u << 20)

/* Low enough that the OOM killer takes anything else first, high enough to be taken at all. */
#define OWN_OOM_SCORE "-999"

static struct supervisor instance __attribute__((aligned(4096)));

/*
 * Parent processes ignore what they like (Node: SIGPIPE, SIGXFSZ), and exec keeps that. What else
 * they had, exec has reset.
 */
static void reset_signals(void)
{
    char text[2048];
    static const char path[] = "/proc/self/status";
    uint64_t ignored = ~0ull;
    CLOSED int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    long length = fd < 0 ? fd : sys_read(fd, text, sizeof text - 1);
    if (length > 0) {
        text[length] = 0;
        ignored = status_mask(text, "SigIgn:", ignored);
    }
    for (int signal = 1; signal <= 64; signal++)
        if (ignored >> (signal - 1) & 1)
            sys_sigaction(signal, SIG_DFL);
    sys_sigmask(0);
}

static void open_null(void)
{
    int fd = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
    for (int standard = 0; fd >= 0 && standard < 3; standard++)
        if (standard != fd)
            sys_dup3(fd, standard, 0);
    if (fd > CLIENT_FD)
        sys_close(fd);
}

/* Every operation must be readable before the first is performed. */
static bool check_program(struct supervisor *supervisor)
{
    struct fx_reader rest = supervisor->program;
    struct fx_op op = { 0, { NULL, NULL } };
    for (uint32_t index = 0; index < supervisor->program_count; index++) {
        if (!fx_read_op(&rest, &op))
            return false;
        struct fx_op again = op;
        struct fx_exec exec;
        if (perform(NULL, &again) < 0)
            return false;
        if (op.opcode == FX_OP_EXEC && read_fx_exec(&op.fields, &exec))
            supervisor->reaper = exec.reaper != 0;
    }
    return rest.at == rest.end;
}

static bool read_head(struct supervisor *supervisor, struct fx_reader *reader)
{
    uint32_t magic, layout, total;
    return fx_read_u32(reader, &magic) && magic == FX_WIRE_MAGIC && fx_read_u32(reader, &layout) &&
           layout == FX_WIRE_LAYOUT && fx_read_u32(reader, &total) &&
           total == supervisor->bytes_length && read_fx_start(reader, &supervisor->start) &&
           fx_read_u32(reader, &supervisor->program_count);
}

static int read_specification(struct supervisor *supervisor)
{
    struct statx status;
    int result = sys_statx(SPECIFICATION_FD, "", AT_EMPTY_PATH, STATX_SIZE, &status);
    if (result < 0)
        return failed(&supervisor->failure, result, "statx", "fd 3");
    long bytes = status.stx_size == 0 || status.stx_size > SPECIFICATION_LIMIT
                     ? -EINVAL
                     : sys_mmap_file(SPECIFICATION_FD, status.stx_size);
    if (bytes < 0 && bytes > -4096)
        return failed(&supervisor->failure, (int)bytes, "mmap", "fd 3");
    supervisor->bytes = (const uint8_t *)bytes;
    supervisor->bytes_length = status.stx_size;
    struct fx_reader reader = { supervisor->bytes, supervisor->bytes + supervisor->bytes_length };
    if (!read_head(supervisor, &reader))
        return failed(&supervisor->failure, -EPROTO, "specification", "fd 3");
    supervisor->program = reader;
    return check_program(supervisor)
               ? 0
               : failed(&supervisor->failure, -EPROTO, "specification", "program");
}

static int make_status(struct supervisor *supervisor)
{
    char bytes[STATUS_SIZE];
    struct buffer text = { bytes, 0, sizeof bytes, false };
    put_status(&text, &supervisor->status);
    supervisor->status_file = replace_file(supervisor->directory, "status.tmp", "status", &text);
    supervisor->status_written = text.length;
    return supervisor->status_file < 0 ? failed(&supervisor->failure, supervisor->status_file,
                                                "openat", supervisor->start.directory.bytes)
                                       : 0;
}

static int prepare(struct supervisor *supervisor)
{
    const char *directory = supervisor->start.directory.bytes;
    supervisor->directory = sys_openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (supervisor->directory < 0)
        return failed(&supervisor->failure, supervisor->directory, "openat", directory);
    sys_umask(0177);
    int result = make_status(supervisor);
    if (result == 0)
        result = open_listener(supervisor);
    sys_umask(022);
    const char *log = supervisor->start.log_path.bytes;
    if (result < 0 || *log == 0)
        return result;
    result = log_open(&supervisor->log, &supervisor->log_room, log, supervisor->start.log_max_size,
                      supervisor->start.log_max_files);
    return result < 0 ? failed(&supervisor->failure, result, "openat", log) : 0;
}

static void protect_from_oom(struct supervisor *supervisor)
{
    CLOSED int fd = sys_openat(AT_FDCWD, "/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    supervisor->oom_score_length =
        sys_read(fd, supervisor->oom_score, sizeof supervisor->oom_score);
    sys_write(fd, OWN_OOM_SCORE, sizeof OWN_OOM_SCORE - 1);
}

__attribute__((noreturn)) static void supervise(struct supervisor *supervisor)
{
    supervisor->status_file = supervisor->directory = supervisor->listener = supervisor->report =
        supervisor->pidfd = -1;
    supervisor->input = supervisor->outputs[0] = supervisor->outputs[1] = supervisor->terminal = -1;
    supervisor->log.fd = -1;
    for (unsigned at = 0; at < CLIENT_COUNT; at++)
        supervisor->clients[at].fd = -1;
    supervisor->status.supervisor_pid = (uint32_t)sys_getpid();
    supervisor->status.supervisor_start = process_stat(supervisor->status.supervisor_pid, STAT_START_TIME);
    supervisor->epoll = sys_epoll_create();

    int result = read_specification(supervisor);
    sys_close(SPECIFICATION_FD);
    if (sys_fcntl(CLIENT_FD, F_SETFD, FD_CLOEXEC) == 0)
        adopt_client(supervisor, CLIENT_FD, true, supervisor->start.attach);
    if (result == 0)
        result = prepare(supervisor);
    supervisor->oom_kills_before = read_oom_kills(supervisor);
    if (result == 0)
        result = spawn(supervisor);
    /* Only SIGKILL ends a supervisor: a signal for the container goes to the container. */
    sys_sigmask(~0ull);
    if (result == 0)
        protect_from_oom(supervisor);
    else
        fail_start(supervisor, -1, supervisor->failure.error, supervisor->failure.syscall,
                   supervisor->failure.path);
    serve_container(supervisor);
}

/*
 * The environment is that of whoever started us, and a container's pid 1 (a reaper) would show it
 * in /proc/1/environ to a container that may trace.
 */
static void wipe_environment(char **environment)
{
    for (; *environment != NULL; environment++)
        memset(*environment, 0, strlen(*environment));
}

/* The stack is as the kernel left it: argument count first. */
void fx_main(long *stack)
{
    if (stack[0] < 2) {
        static const char usage[] =
            "fx-init: usage: fx-init ID, with a specification on fd 3 and a socket on fd 4\n";
        sys_write(2, usage, sizeof usage - 1);
        sys_exit(2);
    }
    /* Arguments, a NULL, then the environment. */
    wipe_environment((char **)(stack + 1 + stack[0] + 1));
    reset_signals();
    sys_setsid();
    sys_prctl(PR_SET_NAME, (unsigned long)"fx-init", 0);
    /*
     * Else a process of the container that is joined could look into the child before it executes.
     */
    sys_prctl(PR_SET_DUMPABLE, 0, 0);
    sys_chdir("/");
    open_null();
    sys_close_range(CLIENT_FD + 1, ~0u, 0);
    supervise(&instance);
}
