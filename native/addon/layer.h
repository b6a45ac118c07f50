/*
 * Unpacking a layer: what `UnpackOperation` of src/domain/layer/LayerUnpacking.ts says, done to the kernel. All is
 * below one directory that nobody else changes meanwhile; what is in it came from strangers.
 */
#ifndef FX_LAYER_H
#define FX_LAYER_H

#include "entry.h"

/*
 * made.c: what is known of inodes below the directory. An inode that was removed may be known still: a new one with
 * its number is of this layer too, and is made known afresh.
 */
enum {
    /* It, or something in it, is of this layer. */
    MADE_TOUCHED = 1,
    /* A directory whose facts are what this layer wants, not only implied or those of a lower layer. */
    MADE_SETTLED = 2,
    /* A directory in which nothing of a lower layer is, nor will be. */
    MADE_CLEARED = 4,
    MADE_OPAQUE = 8
};
struct made_slot {
    /* 0: free. */
    uint64_t inode;
    /* Of a directory: the time that it is to have in the end. */
    int64_t seconds;
    uint32_t nanoseconds;
    uint32_t flags;
};
struct made {
    struct made_slot *slots;
    size_t capacity, count;
};
/* What is known of an inode, or null. Valid until the next `made_know`. */
struct made_slot *made_find(const struct made *made, uint64_t inode);
/* The same, known from now on if it was not (without flags); null without memory. */
struct made_slot *made_know(struct made *made, uint64_t inode);
void made_free(struct made *made);

struct layer_options {
    /* Over a copy of the layers below; else into an empty directory, to be a lower one of overlayfs. */
    bool flat;
    /* Directories above a file. */
    uint32_t depth;
    /* Directories that the layer only implies. */
    uint64_t implied;
};

struct layer {
    struct layer_options options;
    /* O_RDONLY of the directory. */
    int root;
    uint64_t root_inode;
    struct made made;
    struct writing writing;
    /* Directories that were made because something is in them, and those of them that no entry has described since. */
    uint64_t implied, unsettled;
    /* Whether new files may inherit access control lists from their directory. */
    bool inherits;
    /* The directory that was last resolved to have something of this layer in it, or -1. */
    int parent;
    /* Whether it still has the path. */
    bool parent_known;
    char parent_path[PATH_MAX];
};

/*
 * What no layer may ask for: `call` of the fault is one of these, `detail` the name or path it is about, and
 * src/interpreters/linux/layerRefusal.ts says it in words. The errno is EINVAL.
 */
#define LAYER_LOOP "layer loop"
#define LAYER_NOT_DIRECTORY "layer notDirectory"
#define LAYER_DEPTH "layer depth"
#define LAYER_NAME_LENGTH "layer nameLength"
#define LAYER_RESERVED "layer reserved"
#define LAYER_ENTRIES "layer entries"
#define LAYER_LINK_MISSING "layer linkMissing"
#define LAYER_LINK_DIRECTORY "layer linkDirectory"
#define LAYER_SYMLINK_BELOW "layer symlinkBelow"
int layer_refuses(struct fault *fault, const char *what, const char *detail);

/* layerknown.c */
/* Something of this layer is in the directory, or will be: remembers its time. */
int layer_touch(struct layer *layer, int directory, struct made_slot **slot, struct fault *fault);
/* A directory of this layer that has just been made, with what is known of it instead of what was known. */
int layer_know_directory(struct layer *layer, int directory, uint32_t flags, struct made_slot **slot,
                         struct fault *fault);
/* Marks the directory, once. */
int layer_mark_opaque(int directory, struct made_slot *slot, struct fault *fault);
/* A directory of this layer now has the facts that the layer wants. */
void layer_settle(struct layer *layer, struct made_slot *slot, int64_t seconds, uint32_t nanoseconds);
bool is_whiteout(const struct stat *status);

/* layerpath.c */
/* Splits a path into the directory it lies in and its last name, which must be one. */
int layer_split_path(const char *path, char above[PATH_MAX], const char **name, struct fault *fault);
/* The directory with this path, all its names resolved, made where it is missing: ours, not to be closed. */
int layer_parent(struct layer *layer, const char *path, struct fault *fault);
/* The directory that an operation's path lies in, and its name there. */
int layer_open_parent(struct layer *layer, const char *path, const char **name, struct fault *fault);
/* The same as layer_parent where nothing may be made: a descriptor for the caller, or -ENOENT. */
int layer_look(struct layer *layer, const char *path, struct fault *fault);
/* To be called whenever something was removed. */
void layer_forget_parent(struct layer *layer);

/* layerhide.c */
/* Takes away what has the name, whatever it is. */
int layer_make_room(struct layer *layer, int parent, const char *name, cancel_flag cancel, struct fault *fault);
/* Does a record that is about a path alone, but for its kind. */
int layer_hide(struct layer *layer, uint32_t kind, struct reader *reader, cancel_flag cancel, struct fault *fault);

/* layer.c */
/* Takes over `root`, a directory opened O_RDONLY. ENOTEMPTY when it is not empty and should be. */
int layer_open(int root, struct layer_options options, struct layer **layer, struct fault *fault);
/*
 * Does what the records say: u32 kind, then an entry or its end as for unpack.c, a piece of a file (i64 offset in it,
 * u32 place and u32 length in the data), or the path of a directory or of what is to be hidden. `index` of a failure:
 * how many records before it were neither pieces nor ends, and it one.
 */
int layer_run(struct layer *layer, struct reader records, struct reader data, cancel_flag cancel, struct fault *fault);
void layer_close(struct layer *layer);

/* layerfinish.c */
/*
 * When all is made: implied directories get the facts that they have in `below` (the root of a view of the layers
 * below, -1: none), all directories their times. `contents`: bytes of the regular files of this layer.
 */
int layer_finish(struct layer *layer, int below, cancel_flag cancel, uint64_t *contents, struct fault *fault);
/* Whether the layer hides all layers below. */
bool layer_is_opaque(const struct layer *layer);

#endif
