/* What walks of many levels share, see deep.h. */
#include "deep.h"

bool names_add(struct names *names, const char *name)
{
    size_t length = strlen(name) + 1;
    if (names->room - names->length < length) {
        size_t room = names->room * 2 + length + 64;
        char *grown = realloc(names->bytes, room);
        if (grown == NULL)
            return false;
        names->bytes = grown;
        names->room = room;
    }
    memcpy(names->bytes + names->length, name, length);
    names->length += length;
    return true;
}

void names_free(struct names *names)
{
    free(names->bytes);
}

int open_above(int child, int flags, const struct stat *wanted, struct fault *fault)
{
    struct stat status;
    AUTO_FD above = openat(child, "..", flags | O_DIRECTORY | O_CLOEXEC);
    if (above < 0 || fstat(above, &status) < 0)
        return failed(fault, "openat");
    if (status.st_dev != wanted->st_dev || status.st_ino != wanted->st_ino)
        return failed_with(fault, "openat", EBUSY);
    int fd = above;
    above = -1;
    return fd;
}
