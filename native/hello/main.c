/*
 * The one program of the image fx/hello: greets, and tells what it sees from inside its container.
 * All facts are read from /proc and /sys. `hello --exit N` ends with status N and says nothing.
 */
#include "../init/start.h"
#include "../init/syscall.h"
#include "facts.h"

#define LABEL_WIDTH 14
#define MOUNTS_SHOWN 8

/* What is printed at once, and what one file may hold: mountinfo is the longest. */
static char page[16384];
static char file[65536];
static struct buffer out = { page, 0, sizeof page, false };

/* Reads a file whole, as far as there is room; "" when there is none. */
static const char *read_file(const char *path)
{
    size_t length = 0;
    CLOSED int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    while (fd >= 0 && length < sizeof file - 1) {
        long got = sys_read(fd, file + length, sizeof file - 1 - length);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    file[length] = 0;
    return file;
}

static void label(const char *name)
{
    put_text(&out, "  ");
    put_text(&out, name);
    for (size_t width = strlen(name); width < LABEL_WIDTH; width++)
        put_byte(&out, ' ');
}

static void put_first_line(const char *text)
{
    while (*text && *text != '\n')
        put_byte(&out, *text++);
}

static void put_end_of_line(void)
{
    put_byte(&out, '\n');
}

/* The first of the four ids in a line of status; nothing has changed the others. */
static void put_id(const char *status, const char *key)
{
    char bytes[128];
    struct buffer ids = { bytes, 0, sizeof bytes, false };
    put_status_value(&ids, status, key);
    const char *at = put_end(&ids);
    put_number(&out, take_number(&at));
}

static void tell_identity(void)
{
    label("hostname");
    put_first_line(read_file("/proc/sys/kernel/hostname"));
    put_end_of_line();

    const char *status = read_file("/proc/self/status");
    label("process");
    put_text(&out, "pid ");
    put_status_value(&out, status, "Pid");
    put_text(&out, ", parent ");
    put_status_value(&out, status, "PPid");
    put_end_of_line();
    label("user");
    put_text(&out, "uid ");
    put_id(status, "Uid");
    put_text(&out, ", gid ");
    put_id(status, "Gid");
    put_text(&out, ", groups ");
    size_t before = out.length;
    put_status_value(&out, status, "Groups");
    if (out.length == before)
        put_text(&out, "none");
    put_end_of_line();

    char bytes[32];
    struct buffer set = { bytes, 0, sizeof bytes, false };
    put_status_value(&set, status, "CapEff");
    label("capabilities");
    put_capabilities(&out, read_hexadecimal(put_end(&set)));
    put_end_of_line();
    label("security");
    put_text(&out, "no_new_privs ");
    put_status_value(&out, status, "NoNewPrivs");
    put_text(&out, ", seccomp ");
    put_status_value(&out, status, "Seccomp");
    put_end_of_line();
}

static void tell_mounts(void)
{
    label("mounts");
    put_mounts(&out, read_file("/proc/self/mountinfo"), MOUNTS_SHOWN);
    put_end_of_line();
}

static void tell_namespaces(void)
{
    static const char *const kinds[] = {
        "mnt", "pid", "net", "ipc", "uts", "cgroup", "user", "time"
    };
    label("namespaces");
    for (unsigned at = 0; at < sizeof kinds / sizeof *kinds; at++) {
        char path[32], link[64];
        struct buffer text = { path, 0, sizeof path, false };
        put_text(&text, "/proc/self/ns/");
        put_text(&text, kinds[at]);
        long length = sys_readlinkat(AT_FDCWD, put_end(&text), link, sizeof link);
        if (length <= 0)
            continue;
        if (at > 0)
            put_byte(&out, ' ');
        put_bytes(&out, link, (size_t)length);
    }
    put_end_of_line();
}

/* The first line of a file into `into`; false when there is no such file or it is empty. */
static bool read_value(const char *path, struct buffer *into)
{
    into->length = 0;
    const char *text = read_file(path);
    while (*text && *text != '\n')
        put_byte(into, *text++);
    put_end(into);
    return into->length > 0;
}

/* Version 2 of control groups first, then version 1. */
static void tell_limits(void)
{
    char one[64], other[64];
    struct buffer value = { one, 0, sizeof one, false }, period = { other, 0, sizeof other, false };

    label("memory limit");
    if (read_value("/sys/fs/cgroup/memory.max", &value) ||
        read_value("/sys/fs/cgroup/memory/memory.limit_in_bytes", &value))
        put_memory_limit(&out, value.bytes);
    else
        put_text(&out, "not visible");
    put_end_of_line();

    label("pids limit");
    if (read_value("/sys/fs/cgroup/pids.max", &value) ||
        read_value("/sys/fs/cgroup/pids/pids.max", &value))
        put_text(&out, text_equal(value.bytes, "max") ? "unlimited" : value.bytes);
    else
        put_text(&out, "not visible");
    put_end_of_line();

    label("cpu limit");
    if (read_value("/sys/fs/cgroup/cpu.max", &value)) {
        const char *space = text_find(value.bytes, ' ');
        put_cpu_limit(&out, value.bytes, space == NULL ? "" : space + 1);
    } else if (read_value("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &value) &&
               read_value("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &period)) {
        put_cpu_limit(&out, value.bytes, period.bytes);
    } else {
        put_text(&out, "not visible");
    }
    put_end_of_line();
}

__attribute__((noreturn)) static void leave(int fd, const char *text, size_t length, int code)
{
    for (size_t at = 0; at < length;) {
        long written = sys_write(fd, text + at, length - at);
        if (written <= 0)
            sys_exit(1);
        at += (size_t)written;
    }
    sys_exit(code);
}

void fx_main(long *stack)
{
    const char *const *arguments = (const char *const *)(stack + 1);
    if (stack[0] == 3 && text_equal(arguments[1], "--exit")) {
        const char *at = arguments[2];
        int code = (int)take_number(&at);
        if (at != arguments[2] && *at == 0)
            sys_exit(code);
    }
    if (stack[0] != 1) {
        static const char usage[] = "hello: usage: hello [--exit STATUS]\n";
        leave(2, usage, sizeof usage - 1, 2);
    }
    put_text(
        &out,
        "Hello from inside a container of fx-engine! This is what it looks like from here:\n\n");
    tell_identity();
    tell_mounts();
    tell_limits();
    tell_namespaces();
    put_text(&out, "\nTry next: fx-engine run --rm -it --rootfs / -- bash\n");
    leave(1, out.bytes, out.length, 0);
}
