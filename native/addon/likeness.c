/* A directory that looks like another one: its owner, mode, time and attributes, and nothing that is in it. */
#include "entry.h"

#include <stdio.h>

/* Of a directory that nobody has given its looks yet: one that has it and is empty was left by a process that died. */
#define UNFINISHED 0

static int is_finished(int directory, const struct stat *status, struct fault *fault)
{
    if ((status->st_mode & 07777) != UNFINISHED)
        return 1;
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        close_fd(&copy);
        return failed(fault, "openat");
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return 1;
    return 0;
}

int ensure_like(const char *path, const char *like, struct fault *fault)
{
    struct stat looks, status;
    bool is_new = mkdir(path, UNFINISHED) == 0;
    if (!is_new && errno != EEXIST)
        return failed(fault, "mkdir");
    AUTO_FD directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return errno == ENOTDIR ? failed_with(fault, "mkdir", EEXIST) : failed(fault, "openat");
    if (fstat(directory, &status) < 0)
        return failed(fault, "fstat");
    int finished = is_new ? 0 : is_finished(directory, &status, fault);
    if (finished != 0)
        return finished < 0 ? finished : 0;
    AUTO_FD model = open(like, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = 0;
    if (model < 0 || fstat(model, &looks) < 0) {
        fault_at(fault, like);
        result = failed(fault, "openat");
    } else if (fchown(directory, looks.st_uid, looks.st_gid) < 0) {
        result = failed(fault, "fchown");
    }
    if (result == 0)
        result = copy_layer_xattrs(model, directory, fault);
    if (result == 0)
        result = keep_times(directory, looks.st_mtim.tv_sec, (uint32_t)looks.st_mtim.tv_nsec, fault);
    /* Last: by it others see that all is done. */
    if (result == 0)
        result = keep_mode(directory, looks.st_mode & 07777, fault);
    if (result < 0 && is_new)
        rmdir(path);
    return result;
}
