/* Writes a status so that a reader sees the old text or the new. */
#include "status.h"
#include "syscall.h"

/*
 * Mostly there is no old file. One that is there is swapped for the new and then removed: renaming
 * over it would make ext4 start writing to the disk at once (auto_da_alloc), which takes
 * milliseconds.
 */
static int swap_in(int directory, const char *temporary, const char *name)
{
    int result = sys_renameat2(directory, temporary, directory, name, RENAME_NOREPLACE);
    if (result == -EEXIST) {
        result = sys_renameat2(directory, temporary, directory, name, RENAME_EXCHANGE);
        if (result == 0)
            return sys_unlinkat(directory, temporary, 0);
    }
    /* EINVAL: a file system that knows neither. */
    return result < 0 ? sys_renameat2(directory, temporary, directory, name, 0) : 0;
}

static int make_file(int directory, const char *name)
{
    return sys_openat(directory, name,
                      O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int replace_file(int directory, const char *temporary, const char *name, const struct buffer *text)
{
    int fd = make_file(directory, temporary);
    /* Left by one that was cut short. */
    if (fd == -EEXIST && sys_unlinkat(directory, temporary, 0) == 0)
        fd = make_file(directory, temporary);
    if (fd < 0)
        return fd;
    long result = sys_write(fd, text->bytes, text->length);
    if (result >= 0)
        result = swap_in(directory, temporary, name);
    if (result >= 0)
        return fd;
    sys_close(fd);
    return (int)result;
}

int append_status(int file, size_t *written, const struct status *status)
{
    char bytes[STATUS_SIZE];
    struct buffer text = { bytes, 0, sizeof bytes, false };
    put_status(&text, status);
    if (text.length <= *written)
        return 0;
    long result = sys_write(file, bytes + *written, text.length - *written);
    if (result < 0)
        return (int)result;
    *written += (size_t)result;
    return 0;
}
