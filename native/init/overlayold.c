/* The overlay of kernels before 6.7, by mount(2), which takes any number of layers that fit into a
 * page. */
#include "overlay.h"
#include "syscall.h"
#include "text.h"

/* Option text of mount(2): commas, colons and backslashes in a path are escaped. */
static void put_option(struct buffer *text, const char *key, const char *path)
{
    put_text(text, key);
    for (; *path; path++) {
        if (*path == ',' || *path == ':' || *path == '\\')
            put_byte(text, '\\');
        put_byte(text, *path);
    }
}

/*
 * `short_names`: a layer is written as the number of its fd, for a working directory of
 * /proc/self/fd.
 */
static int put_lower(struct failure *failure, struct buffer *text, const struct fx_list *lower,
                     bool short_names)
{
    struct fx_reader items = lower->items;
    struct fx_text path;
    const char *key = "lowerdir=";
    for (; fx_read_text(&items, &path); key = ":") {
        if (!short_names) {
            put_option(text, key, path.bytes);
            continue;
        }
        int fd = sys_openat(AT_FDCWD, path.bytes, O_PATH | O_CLOEXEC, 0);
        if (fd < 0)
            return failed(failure, fd, "openat", path.bytes);
        put_text(text, key);
        put_number(text, (uint64_t)fd);
    }
    return 0;
}

/* Longest option text that mount(2) takes. */
#define OPTIONS_SIZE 4096

int mount_overlay_old(struct failure *failure, const struct fx_root_overlay *op)
{
    static char options[OPTIONS_SIZE];
    int result = 0;
    struct buffer text;
    for (int short_names = 0; short_names < 2; short_names++) {
        text = (struct buffer){ options, 0, sizeof options, false };
        result = put_lower(failure, &text, &op->lower, short_names != 0);
        if (result < 0)
            return result;
        if (op->upper.length > 0) {
            put_option(&text, ",upperdir=", op->upper.bytes);
            put_option(&text, ",workdir=", op->work.bytes);
        }
        if (op->upper.length > 0 && op->without_sync)
            put_text(&text, ",volatile");
        put_end(&text);
        if (!text.full)
            break;
        result = sys_chdir("/proc/self/fd");
    }
    if (result == 0)
        result = text.full ? -E2BIG : sys_mount("overlay", op->at.bytes, "overlay", 0, options);
    sys_chdir("/");
    return result < 0 ? failed(failure, result, "mount", op->at.bytes) : 0;
}
