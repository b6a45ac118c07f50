/* What is known of the directories of a layer, as they are made and changed. */
#include "layer.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define OPAQUE "trusted.overlay.opaque"

int layer_refuses(struct fault *fault, const char *what, const char *detail)
{
    size_t length = strnlen(detail, sizeof fault->detail - 1);
    memcpy(fault->detail, detail, length);
    fault->detail[length] = 0;
    return failed_with(fault, what, EINVAL);
}

bool is_whiteout(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

int layer_touch(struct layer *layer, int directory, struct made_slot **slot, struct fault *fault)
{
    struct stat status;
    if (fstatat(directory, "", &status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    struct made_slot *known = made_know(&layer->made, status.st_ino);
    if (known == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    if ((known->flags & MADE_TOUCHED) == 0) {
        known->flags |= MADE_TOUCHED;
        known->seconds = status.st_mtim.tv_sec;
        known->nanoseconds = (uint32_t)status.st_mtim.tv_nsec;
    }
    *slot = known;
    return 0;
}

int layer_know_directory(struct layer *layer, int directory, uint32_t flags, struct made_slot **slot,
                         struct fault *fault)
{
    struct stat status;
    if (fstatat(directory, "", &status, AT_EMPTY_PATH) < 0)
        return failed(fault, "newfstatat");
    struct made_slot *known = made_know(&layer->made, status.st_ino);
    if (known == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    *known = (struct made_slot){.inode = status.st_ino, .flags = flags | MADE_TOUCHED | MADE_CLEARED};
    *slot = known;
    return 0;
}

int layer_mark_opaque(int directory, struct made_slot *slot, struct fault *fault)
{
    if (slot->flags & MADE_OPAQUE)
        return 0;
    if (fsetxattr(directory, OPAQUE, "y", 1, 0) < 0)
        return failed(fault, "fsetxattr");
    slot->flags |= MADE_OPAQUE;
    return 0;
}

void layer_settle(struct layer *layer, struct made_slot *slot, int64_t seconds, uint32_t nanoseconds)
{
    if ((slot->flags & MADE_SETTLED) == 0 && slot->inode != layer->root_inode && layer->unsettled > 0)
        layer->unsettled--;
    slot->flags |= MADE_SETTLED;
    slot->seconds = seconds;
    slot->nanoseconds = nanoseconds;
}
