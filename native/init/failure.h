/*
 * The error convention: a function returns 0 (or an fd) or a negative errno, and whoever made the
 * failing system call records its name and object here, once, with `failed`.
 */
#ifndef FX_FAILURE_H
#define FX_FAILURE_H

/* `syscall` and `path` outlive the failure: literals, the specification, or `child_scratch`. */
struct failure {
    int error;
    const char *syscall;
    const char *path;
};

/* Records and returns `error`, a negative errno. */
static inline int failed(struct failure *failure, int error, const char *syscall, const char *path)
{
    failure->error = error;
    failure->syscall = syscall;
    failure->path = path;
    return error;
}

#endif
