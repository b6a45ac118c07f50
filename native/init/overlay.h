/* The overlay mount of a container's root, made by the child or, with ids mapped, by the
 * supervisor. */
#ifndef FX_OVERLAY_H
#define FX_OVERLAY_H

#include "../ops.h"
#include "failure.h"

/*
 * Makes the mount of a RootOverlay, attached to nothing: its fd. With `user_namespace` (an fd, else
 * −1) every layer is id-mapped by it, so that layers hold the ids of the inside and one image
 * serves every mapping; the caller's file system ids must then have a place in that map, and
 * `upper` and `work` one parent. −ENOSYS, with the failure recorded, when the kernel may be too old
 * for this way.
 */
int make_overlay(struct failure *failure, const struct fx_root_overlay *op, int user_namespace);

/*
 * A mount of the directory itself, attached to nothing and private: its fd. With `user_namespace` ids are mapped by it.
 */
int make_bind(struct failure *failure, const char *path, uint64_t attributes_set,
              int user_namespace);

/* For kernels before 6.7, which know no `lowerdir+`: mounts on `op->at` by mount(2). */
int mount_overlay_old(struct failure *failure, const struct fx_root_overlay *op);

/*
 * The same as `make_overlay` with a user namespace, also on kernels before 6.15, which refuse
 * layers that are attached nowhere. For a process with all capabilities.
 */
int make_mapped_overlay(struct failure *failure, const struct fx_root_overlay *op,
                        int user_namespace);

#endif
