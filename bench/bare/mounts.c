/* The container's root and all that is mounted in it, by the new mount API as the engine does. */
#include "bare.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* sys/mount.h of the C library clashes with the kernel's header above. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data);
int umount2(const char *target, int flags);
#define MNT_DETACH 2

#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int root;

/* `options` are pairs of a key and a value, NULL for a flag; a NULL key ends them. */
static int make_filesystem(const char *type, const char *source, const char *const options[],
                           unsigned attributes)
{
    int fs = (int)check(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), type);
    check(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0), source);
    for (; options != NULL && options[0] != NULL; options += 2) {
        unsigned command = options[1] == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
        check(syscall(SYS_fsconfig, fs, command, options[0], options[1], 0), options[0]);
    }
    check(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), type);
    int made = (int)check(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes), type);
    close(fs);
    return made;
}

static int reach(const char *target, int flags)
{
    struct open_how how = { .flags = (unsigned)(O_PATH | O_CLOEXEC | flags),
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, root, target, &how, sizeof how);
}

/* Puts a detached mount on a place inside the root. Both are closed. */
static void attach(int made, int place, const char *name)
{
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    check(syscall(SYS_move_mount, made, "", place, "", flags), name);
    close(made);
    close(place);
}

static void mount_at(const char *target, const char *type, const char *source,
                     const char *const options[], unsigned attributes)
{
    int place = reach(target, O_DIRECTORY);
    if (place < 0 && errno == ENOENT) {
        check(mkdirat(root, target + 1, 0755), target);
        place = (int)check(reach(target, O_DIRECTORY), target);
    }
    attach(make_filesystem(type, source, options, attributes), place, target);
}

/* A copy of the mount at `source`, with more attributes, onto `place`, which is closed. */
static void clone_onto(int source, int place, unsigned flags, unsigned attributes,
                       const char *name)
{
    unsigned open_flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags;
    int tree = (int)check(syscall(SYS_open_tree, source, "", open_flags), name);
    struct mount_attr set = { .attr_set = attributes };
    if (attributes != 0)
        check(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | flags, &set, sizeof set), name);
    attach(tree, place, name);
}

static void make_readonly(const char *name)
{
    int place = reach(name, 0);
    if (place < 0)
        return;
    clone_onto(place, dup(place), AT_RECURSIVE, MOUNT_ATTR_RDONLY, name);
    close(place);
}

void enter_root(void)
{
    const char *upper = path("%s/upper", directory), *work = path("%s/work", directory);
    const char *options[] = { "lowerdir+", rootfs, "upperdir", upper, "workdir",
                              work,        "volatile", NULL, NULL };
    const char *place = path("%s/rootfs", directory);
    check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
    int overlay = make_filesystem("overlay", "overlay", options, 0);
    check(syscall(SYS_move_mount, overlay, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH), place);
    close(overlay);
    check(chdir(place), place);
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount2");
    check(chdir("/"), "/");
    root = (int)check(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
}

static void mount_groups(void)
{
    static const char *const mode[] = { "mode", "755", NULL };
    mount_at("/sys/fs/cgroup", "tmpfs", "tmpfs", mode, ATTRIBUTES);
    for (unsigned at = 0; at < hierarchy_count; at++) {
        const struct hierarchy *one = &hierarchies[at];
        const char *target = path("/sys/fs/cgroup/%s", strrchr(one->mount, '/') + 1);
        const char *controller[] = { one->options, NULL, NULL };
        const char *name[] = { "none", NULL, "name", one->options + strlen("name="), NULL };
        bool named = strncmp(one->options, "name=", strlen("name=")) == 0;
        const char *const *options = one->unified ? NULL : named ? name : controller;
        mount_at(target, one->unified ? "cgroup2" : "cgroup", "cgroup", options,
                 ATTRIBUTES | MOUNT_ATTR_RDONLY);
    }
    make_readonly("/sys/fs/cgroup");
}

static void make_devices(void)
{
    static const struct {
        const char *name;
        unsigned major, minor;
    } nodes[] = { { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
                  { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
    static const char *const links[][2] = {
        { "pts/ptmx", "dev/ptmx" },         { "/proc/self/fd", "dev/fd" },
        { "/proc/self/fd/0", "dev/stdin" }, { "/proc/self/fd/1", "dev/stdout" },
        { "/proc/self/fd/2", "dev/stderr" }, { "/proc/kcore", "dev/core" },
    };
    for (unsigned at = 0; at < LENGTH(nodes); at++) {
        unsigned device = nodes[at].major << 8 | nodes[at].minor;
        check(mknodat(root, nodes[at].name, S_IFCHR | 0666, device), nodes[at].name);
    }
    for (unsigned at = 0; at < LENGTH(links); at++)
        check(symlinkat(links[at][0], root, links[at][1]), links[at][1]);
}

static void mount_file(int file, const char *target)
{
    int place = reach(target, 0);
    if (place < 0 && errno == ENOENT) {
        check(mknodat(root, target + 1, S_IFREG | 0644, 0), target);
        place = (int)check(reach(target, 0), target);
    }
    attach(file, place, target);
}

void mount_all(const int files[3])
{
    static const char *const dev[] = { "mode", "755", "size", "65536k", NULL };
    static const char *const pts[] = { "ptmxmode", "0666", "mode", "0620", "gid", "5", NULL };
    static const char *const shm[] = { "mode", "1777", "size", "67108864", NULL };
    mount_at("/proc", "proc", "proc", NULL, ATTRIBUTES);
    mount_at("/dev", "tmpfs", "tmpfs", dev, MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
    mount_at("/dev/pts", "devpts", "devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    mount_at("/sys", "sysfs", "sysfs", NULL, ATTRIBUTES | MOUNT_ATTR_RDONLY);
    mount_groups();
    mount_at("/dev/mqueue", "mqueue", "mqueue", NULL, ATTRIBUTES);
    mount_at("/dev/shm", "tmpfs", "shm", shm, ATTRIBUTES);
    make_devices();
    mount_file(files[0], "/etc/resolv.conf");
    mount_file(files[1], "/etc/hostname");
    mount_file(files[2], "/etc/hosts");
}

void hide_paths(void)
{
    /* moby oci/defaults.go */
    static const char *const masked[] = {
        "/proc/acpi",  "/proc/asound",        "/proc/interrupts",  "/proc/kcore",
        "/proc/keys",  "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
        "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
    };
    static const char *const fixed[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                         "/proc/sysrq-trigger" };
    static const char *const options[] = { "mode", "0555", "nr_inodes", "1", "ro", NULL, NULL };
    int empty = make_filesystem("tmpfs", "tmpfs", options, ATTRIBUTES | MOUNT_ATTR_RDONLY);
    int null = (int)check(reach("/dev/null", 0), "/dev/null");
    for (unsigned at = 0; at < LENGTH(masked); at++) {
        struct stat status;
        int place = reach(masked[at], 0);
        if (place < 0)
            continue;
        check(fstat(place, &status), masked[at]);
        clone_onto(S_ISDIR(status.st_mode) ? empty : null, place, 0, 0, masked[at]);
    }
    for (unsigned at = 0; at < LENGTH(fixed); at++)
        make_readonly(fixed[at]);
}
