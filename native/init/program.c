/* The last operations: the working directory and the program itself. */
#include "resolve.h"
#include "search.h"

/* Arguments and environment together, as many as there may be and as there mostly are. */
#define POINTER_COUNT 65536
#define FEW_POINTERS 64

/* access(2): unistd.h */
#define X_OK 1

int op_working_directory(struct child *child, const struct fx_working_directory *op)
{
    char few[128], *place = few;
    int result = sys_chdir(op->path.bytes);
    if (result == -ENOENT && op->create) {
        CLOSED int fd = reach(child, op->path.bytes, REACH_DIRECTORY, 0755, false);
        if (fd < 0)
            return fd;
        result = sys_fchdir(fd);
    }
    if (result < 0)
        return failed(&child->failure, result, "chdir", op->path.bytes);
    /*
     * A directory outside the root, reached through a leaked descriptor, reads "(unreachable)/…".
     */
    long length = sys_getcwd(few, sizeof few);
    if (length == -ERANGE) {
        place = child_scratch;
        length = sys_getcwd(place, sizeof child_scratch);
    }
    if (length < 0 || place[0] != '/')
        return failed(&child->failure, length < 0 ? (int)length : -ENOENT, "getcwd",
                      op->path.bytes);
    return 0;
}

static const char *path_of(const struct fx_list *environment)
{
    struct fx_reader items = environment->items;
    struct fx_text variable;
    while (fx_read_text(&items, &variable))
        if (text_starts(variable.bytes, "PATH=") && variable.bytes[5])
            return variable.bytes + 5;
    return DEFAULT_PATH;
}

static bool is_file(const char *path)
{
    struct statx status;
    return sys_statx(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 &&
           (status.stx_mode & S_IFMT) == S_IFREG;
}

/*
 * As docker does: a file that may not be executed does not end the search, and when nothing is
 * found the error is ENOENT. A file that may be is the answer, whatever comes of it.
 */
static int search_and_execute(struct child *child, const char *name, const char *const *argv,
                              const char *const *env, const char *directories)
{
    size_t length = strlen(directories) + strlen(name) + 2;
    char candidate[length < PATH_LIMIT ? length : PATH_LIMIT];
    while (*name && next_candidate(&directories, name, candidate, sizeof candidate)) {
        if (sys_faccessat(AT_FDCWD, candidate, X_OK) < 0)
            continue;
        int result = sys_execve(candidate, argv, env);
        if (result == -EACCES && !is_file(candidate))
            continue;
        struct buffer text = { child_scratch, 0, sizeof child_scratch, false };
        put_text(&text, candidate);
        return failed(&child->failure, result, "execve", put_end(&text));
    }
    return failed(&child->failure, -ENOENT, "execve", name);
}

/* A container's fd 0 shall be its own /dev/null rather than the host's, where it has one. */
static void reopen_null(struct child *child)
{
    if (child->start->terminal || child->start->stdin != FX_STDIN_NULL)
        return;
    struct statx status;
    CLOSED int null =
        resolve(child, "/dev/null", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, true);
    if (null < 0 || sys_statx(null, "", AT_EMPTY_PATH, STATX_TYPE, &status) < 0)
        return;
    if ((status.stx_mode & S_IFMT) == S_IFCHR && status.stx_rdev_major == 1 &&
        status.stx_rdev_minor == 3 && sys_fcntl(null, F_SETFL, O_RDWR) == 0)
        sys_dup3(null, 0, 0);
}

int op_exec(struct child *child, const struct fx_exec *op)
{
    static const char *many[POINTER_COUNT];
    const char *few[FEW_POINTERS];
    struct fx_reader arguments = op->argv.items, environment = op->env.items;
    struct fx_text text;
    size_t count = 0;
    if (op->argv.count == 0)
        return failed(&child->failure, -EINVAL, "execve", "");
    if ((uint64_t)op->argv.count + op->env.count + 2 > POINTER_COUNT)
        return failed(&child->failure, -E2BIG, "execve", "");
    const char **pointers = op->argv.count + op->env.count + 2 > FEW_POINTERS ? many : few;
    while (fx_read_text(&arguments, &text))
        pointers[count++] = text.bytes;
    pointers[count++] = NULL;
    const char *const *env = pointers + count;
    while (fx_read_text(&environment, &text))
        pointers[count++] = text.bytes;
    pointers[count] = NULL;

    reopen_null(child);
    if (!child->umask_set)
        sys_umask(022);
    if (op->reaper) {
        int result = stay_as_reaper(child);
        if (result < 0)
            return result;
    }
    int result = sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    if (result < 0)
        return failed(&child->failure, result, "close_range", "");
    sys_sigmask(0);
    const char *name = pointers[0];
    if (text_find(name, '/') == NULL)
        return search_and_execute(child, name, pointers, env, path_of(&op->env));
    result = sys_execve(name, pointers, env);
    return failed(&child->failure, result, "execve", name);
}
