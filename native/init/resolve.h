/*
 * Paths of a container are its own: they are resolved by openat2(2) as if its root were "/", never
 * through magic links, and parents are made one component at a time on open directories.
 */
#ifndef FX_RESOLVE_H
#define FX_RESOLVE_H

#include "child.h"

enum reach_kind { REACH_DIRECTORY, REACH_FILE };

/*
 * openat2(2) inside the root, O_CLOEXEC added. `strict`: no component may be a symbolic link. An fd
 * or a negative errno; nothing is recorded, since a missing path is often no failure.
 */
int resolve(struct child *child, const char *path, uint64_t flags, bool strict);

/*
 * Opens `path` (O_PATH), which is made with `mode` when missing, its parents with 0755. Unless
 * `strict`, a symbolic link that dangles is followed and what it names is made, inside the root.
 * Records failures.
 */
int reach(struct child *child, const char *path, enum reach_kind kind, unsigned mode, bool strict);

/*
 * Opens the directory that holds `path`, made when missing; `*name` is the last component. The fd
 * stays the child's: it is kept for the next operation. Records failures.
 */
int reach_parent(struct child *child, const char *path, const char **name);

#endif
