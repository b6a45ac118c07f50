/* How the addon's functions tell what went wrong, and small things that clean up after them. */
#include "addon.h"

int failed_with(struct fault *fault, const char *call, int error)
{
    fault->call = call;
    return error == 0 ? -EIO : -error;
}

int failed(struct fault *fault, const char *call)
{
    return failed_with(fault, call, errno);
}

void fault_at(struct fault *fault, const char *path)
{
    size_t length = strnlen(path, sizeof fault->path - 1);
    memcpy(fault->path, path, length);
    fault->path[length] = 0;
}

bool cancelled(cancel_flag flag)
{
    return flag != NULL && __atomic_load_n(flag, __ATOMIC_RELAXED) != 0;
}

void close_fd(int *fd)
{
    if (*fd >= 0) {
        int kept = errno;
        close(*fd);
        errno = kept;
    }
}

void free_text(char **text)
{
    free(*text);
}

void close_dir(DIR **dir)
{
    if (*dir != NULL) {
        int kept = errno;
        closedir(*dir);
        errno = kept;
    }
}
