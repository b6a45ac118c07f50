/* Subvolumes of btrfs: directories that are copied, and taken away, at once whatever is in them. */
#include "addon.h"

#include <linux/btrfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

/* linux/magic.h; and BTRFS_FIRST_FREE_OBJECTID of linux/btrfs_tree.h, the inode number of every subvolume. */
#define BTRFS_MAGIC 0x9123683EUL
#define SUBVOLUME_INODE 256

static bool is_btrfs(int fd)
{
    struct statfs status;
    return fstatfs(fd, &status) == 0 && (unsigned long)status.f_type == BTRFS_MAGIC;
}

/* Opens the directory that the path's last name is to be in. */
static int open_above(const char *path, char **name, struct fault *fault)
{
    AUTO_TEXT directory = NULL;
    int result = split_path(path, &directory, name, fault);
    if (result < 0)
        return result;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? failed(fault, "openat") : fd;
}

int make_subvolume(const char *path, struct fault *fault)
{
    AUTO_TEXT name = NULL;
    AUTO_FD above = open_above(path, &name, fault);
    if (above < 0)
        return above;
    if (!is_btrfs(above))
        return failed_with(fault, "ioctl", ENOTTY);
    struct btrfs_ioctl_vol_args arguments = {0};
    if (strlen(name) > BTRFS_PATH_NAME_MAX)
        return failed_with(fault, "ioctl", ENAMETOOLONG);
    strcpy(arguments.name, name);
    if (ioctl(above, BTRFS_IOC_SUBVOL_CREATE, &arguments) < 0)
        return failed(fault, "ioctl");
    AUTO_FD made = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made < 0)
        return failed(fault, "openat");
    return fchmod(made, 0755) < 0 ? failed(fault, "fchmod") : 0;
}

int snapshot_subvolume(const char *from, const char *to, struct fault *fault)
{
    AUTO_TEXT name = NULL;
    AUTO_FD source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0) {
        fault_at(fault, from);
        return failed(fault, "openat");
    }
    if (!is_btrfs(source))
        return failed_with(fault, "ioctl", ENOTTY);
    AUTO_FD above = open_above(to, &name, fault);
    if (above < 0)
        return above;
    if (!is_btrfs(above))
        return failed_with(fault, "ioctl", EXDEV);
    struct btrfs_ioctl_vol_args_v2 arguments = {.fd = source};
    if (strlen(name) > BTRFS_SUBVOL_NAME_MAX)
        return failed_with(fault, "ioctl", ENAMETOOLONG);
    strcpy(arguments.name, name);
    return ioctl(above, BTRFS_IOC_SNAP_CREATE_V2, &arguments) < 0 ? failed(fault, "ioctl") : 0;
}

bool destroy_subvolume(int parent, const char *name, int opened)
{
    struct stat status;
    struct btrfs_ioctl_vol_args arguments = {0};
    if (fstat(opened, &status) < 0 || status.st_ino != SUBVOLUME_INODE || !is_btrfs(opened) ||
        strlen(name) > BTRFS_PATH_NAME_MAX)
        return false;
    AUTO_FD directory = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return false;
    strcpy(arguments.name, name);
    return ioctl(directory, BTRFS_IOC_SNAP_DESTROY, &arguments) == 0;
}
