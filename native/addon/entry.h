/* Entries of archives on their way to files: their facts as records have them, and files whose data come in pieces. */
#ifndef FX_ENTRY_H
#define FX_ENTRY_H

#include "addon.h"

/* What an entry says of a file; the texts are where it was read. */
struct facts {
    uint32_t type, mode, uid, gid, major, minor, nanoseconds;
    int64_t size, seconds;
    const char *path, *link;
};

/* Everything of an entry but its attributes. */
bool read_facts(struct reader *reader, struct facts *facts);
/* Moves the reader behind the attributes; what it was is a reader of them. */
bool skip_xattrs(struct reader *reader);
/* Whether layers carry the attribute: those that mean the same on another host. */
bool is_layer_xattr(const char *name);
/* Takes away the attributes that layers carry but for those of the entry. */
int drop_xattrs(int fd, struct reader wanted, struct fault *fault);
/* Gives what is open as `to` the attributes of `from` that layers carry. */
int copy_layer_xattrs(int from, int to, struct fault *fault);
/*
 * Gives an open file or directory, or by O_PATH anything else, what its entry says, but for the time of files and
 * directories: that comes after their data and names. `fresh`: it has no attributes that the entry does not want.
 */
int keep_facts(int fd, const struct facts *facts, struct reader xattrs, bool fresh, struct fault *fault);
int keep_mode(int fd, uint32_t mode, struct fault *fault);
int keep_times(int fd, int64_t seconds, uint32_t nanoseconds, struct fault *fault);
/* The one call that makes it (not a hard link): EEXIST when something has the name. A regular file is open then. */
int make_node(int parent, const char *name, const struct facts *facts, int *file, struct fault *fault);

/* A file that is being written, `fd` -1: none. Its texts point into `kept`. */
struct writing {
    int fd;
    bool fresh;
    struct facts facts;
    uint8_t *kept;
    struct reader xattrs;
};
/* Takes over the descriptor, with a copy of the entry: writing takes capabilities away, so they come last. */
int begin_file(struct writing *writing, int fd, const struct reader *entry, bool fresh, struct fault *fault);
/* A record of data, without its kind. */
int write_piece(struct writing *writing, struct reader *reader, struct fault *fault);
int write_bytes(struct writing *writing, const uint8_t *bytes, uint32_t length, int64_t offset, struct fault *fault);
int end_file(struct writing *writing, struct fault *fault);
void drop_file(struct writing *writing);

#endif
