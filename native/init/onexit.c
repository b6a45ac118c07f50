/* The way out: the command that comes after the container. */
#include "search.h"
#include "supervisor.h"

/* What was sent while all was blocked is thrown away. */
static void open_signals(void)
{
    for (int signal = 1; signal <= 64; signal++)
        sys_sigaction(signal, SIG_IGN);
    sys_sigmask(0);
    for (int signal = 1; signal <= 64; signal++)
        sys_sigaction(signal, SIG_DFL);
}

static bool is_claimed(const struct supervisor *supervisor)
{
    for (const struct client *client = supervisor->clients;
         client < supervisor->clients + CLIENT_COUNT; client++)
        if (client->fd >= 0 && client->flags & FX_ATTACH_CLAIM)
            return true;
    return false;
}

static void restore_oom_score(const struct supervisor *supervisor)
{
    CLOSED int fd = sys_openat(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
    if (fd >= 0 && supervisor->oom_score_length > 0)
        sys_write(fd, supervisor->oom_score, (size_t)supervisor->oom_score_length);
}

/*
 * Becomes the command that comes after the container, as if started by hand: nothing of ours is
 * left.
 */
static void run_on_exit(struct supervisor *supervisor)
{
    static const char *argv[256];
    static const char *const env[] = { "PATH=" DEFAULT_PATH, NULL };
    struct fx_reader items = supervisor->start.on_exit.items;
    struct fx_text argument;
    unsigned count = 0;
    while (count < 255 && fx_read_text(&items, &argument))
        argv[count++] = argument.bytes;
    if (count == 0 || items.at != items.end || supervisor->status.failed || is_claimed(supervisor))
        return;
    restore_oom_score(supervisor);
    open_signals();
    sys_prctl(PR_SET_DUMPABLE, 1, 0);
    sys_close_range(3, ~0u, 0);
    if (text_find(argv[0], '/') != NULL)
        sys_execve(argv[0], argv, env);
    const char *directories = DEFAULT_PATH;
    char candidate[PATH_MAX];
    while (text_find(argv[0], '/') == NULL &&
           next_candidate(&directories, argv[0], candidate, sizeof candidate))
        sys_execve(candidate, argv, env);
}

void serve_container(struct supervisor *supervisor)
{
    serve_events(supervisor);
    run_on_exit(supervisor);
    sys_exit(0);
}
