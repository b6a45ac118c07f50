/* Extended attributes of a file that is copied: access lists, file capabilities, labels. */
#include "child.h"

/* XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h. */
#define ATTRIBUTES_SIZE 65536

int copy_attributes(int from, int to)
{
    static char names[ATTRIBUTES_SIZE], value[ATTRIBUTES_SIZE];
    long length = sys_flistxattr(from, names, sizeof names);
    for (long at = 0; at < length; at += (long)strlen(names + at) + 1) {
        long size = sys_fgetxattr(from, names + at, value, sizeof value);
        int result = size < 0 ? 0 : sys_fsetxattr(to, names + at, value, (size_t)size);
        /* What the new file system does not know, or this namespace may not set, is left. */
        if (result == -ENOSPC)
            return result;
    }
    return 0;
}
