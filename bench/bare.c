/*
 * bare ROOTFS DIRECTORY GROUP FILTER [INIT SPECIFICATION RUN_DIRECTORY]
 *
 * What a container costs without an engine: for every line on stdin one container runs `true` and is removed,
 * and a line says how many nanoseconds that took. It has what a container of ours has by default (namespaces,
 * overlay, mounts, masks, control groups, device rules, seccomp filter, capabilities) and nothing else: no
 * records, no locks, no log, no supervisor. ROOTFS is the lower layer, DIRECTORY is made and removed with every
 * run, GROUP is the container's path in every cgroup hierarchy (its parent lasts), FILTER has a struct
 * sock_filter array.
 *
 * With INIT, a supervisor as the engine has it performs SPECIFICATION instead: then only the engine's own part
 * is bare, and the difference to the engine is what TypeScript and records cost.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* From sched.h and sys/mount.h of the C library, which clash with the kernel's headers above. */
int unshare(int flags);
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#define MNT_DETACH 2

#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct hierarchy {
    bool unified;
    char mount[256], options[128], group[1024];
};

static struct hierarchy hierarchies[32];
static unsigned hierarchy_count;
static const char *rootfs, *directory, *group, *init, *specification, *run_directory;
static struct sock_fprog filter;

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static long check(long result, const char *what)
{
    if (result < 0)
        die(what);
    return result;
}

__attribute__((format(printf, 1, 2))) static const char *path(const char *format, ...)
{
    static char buffers[4][2048];
    static unsigned next;
    char *buffer = buffers[next++ % LENGTH(buffers)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof *buffers, format, arguments);
    va_end(arguments);
    return buffer;
}

static void write_file(const char *file, int flags, const char *text)
{
    int fd = (int)check(open(file, O_WRONLY | O_CLOEXEC | flags, 0644), file);
    check(write(fd, text, strlen(text)), file);
    close(fd);
}

/* ---- host side ---- */

/* proc_pid_mountinfo(5): the mount point is field 5, the hierarchy's options are the last field. */
static void find_hierarchies(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[4096];
    if (file == NULL)
        die("/proc/self/mountinfo");
    while (fgets(line, sizeof line, file) != NULL && hierarchy_count < LENGTH(hierarchies)) {
        struct hierarchy *one = &hierarchies[hierarchy_count];
        const char *dash = strstr(line, " - cgroup");
        if (dash == NULL || sscanf(line, "%*s %*s %*s %*s %255s", one->mount) != 1)
            continue;
        one->unified = strncmp(dash, " - cgroup2 ", 11) == 0;
        if (sscanf(dash, " - %*s %*s rw,%127s", one->options) != 1)
            one->options[0] = 0;
        strcat(strcpy(one->group, one->mount), group);
        hierarchy_count++;
    }
    fclose(file);
}

static const struct hierarchy *hierarchy_of(const char *controller)
{
    for (unsigned at = 0; at < hierarchy_count; at++)
        if (!hierarchies[at].unified && strcmp(hierarchies[at].options, controller) == 0)
            return &hierarchies[at];
    return NULL;
}

static void copy_file(const char *from, const char *to)
{
    char text[256] = "";
    int fd = (int)check(open(from, O_RDONLY | O_CLOEXEC), from);
    check(read(fd, text, sizeof text - 1), from);
    close(fd);
    write_file(to, 0, text);
}

/* The parent of GROUP in every hierarchy, once; a cpuset is born empty. */
static void make_parents(void)
{
    int length = (int)(strrchr(group, '/') - group);
    for (unsigned at = 0; at < hierarchy_count; at++)
        if (mkdir(path("%s%.*s", hierarchies[at].mount, length, group), 0755) < 0 && errno != EEXIST)
            die(hierarchies[at].mount);
    const struct hierarchy *cpuset = hierarchy_of("cpuset");
    if (cpuset == NULL)
        return;
    static const char *const inherited[] = { "cpuset.cpus", "cpuset.mems" };
    for (unsigned at = 0; at < LENGTH(inherited); at++)
        copy_file(path("%s/%s", cpuset->mount, inherited[at]),
                  path("%s%.*s/%s", cpuset->mount, length, group, inherited[at]));
    write_file(path("%s%.*s/cgroup.clone_children", cpuset->mount, length, group), 0, "1");
}

static void make_groups(void)
{
    static const char *const rules[] = { "c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm",   "c 1:7 rwm",   "c 1:8 rwm",
                                         "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm", "c 10:200 rwm" };
    for (unsigned at = 0; at < hierarchy_count; at++)
        check(mkdir(hierarchies[at].group, 0755), hierarchies[at].group);
    const struct hierarchy *devices = hierarchy_of("devices");
    if (devices == NULL)
        return;
    write_file(path("%s/devices.deny", devices->group), 0, "a");
    for (unsigned at = 0; at < LENGTH(rules); at++)
        write_file(path("%s/devices.allow", devices->group), 0, rules[at]);
}

static void make_directories(void)
{
    static const char *const names[] = { "upper", "work", "files", "rootfs" };
    static const char hosts[] = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
                                "fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\n"
                                "ff02::2\tip6-allrouters\n";
    check(mkdir(directory, 0755), directory);
    for (unsigned at = 0; at < LENGTH(names); at++)
        check(mkdir(path("%s/%s", directory, names[at]), 0755), names[at]);
    write_file(path("%s/files/hostname", directory), O_CREAT | O_EXCL, "bare\n");
    write_file(path("%s/files/hosts", directory), O_CREAT | O_EXCL, hosts);
    write_file(path("%s/files/resolv.conf", directory), O_CREAT | O_EXCL, "nameserver 192.0.2.1\n");
}

static void remove_tree(int at, const char *name)
{
    int fd = (int)check(openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), name);
    DIR *entries = fdopendir(fd);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR)
            remove_tree(fd, entry->d_name);
        else
            check(unlinkat(fd, entry->d_name, 0), entry->d_name);
    }
    closedir(entries);
    check(unlinkat(at, name, AT_REMOVEDIR), name);
}

static void remove_groups(void)
{
    for (unsigned at = 0; at < hierarchy_count; at++)
        while (rmdir(hierarchies[at].group) < 0) {
            if (errno != EBUSY)
                die(hierarchies[at].group);
            usleep(200);
        }
}

/* ---- inside ---- */

static int make_filesystem(const char *type, const char *source, const char *const options[], unsigned attributes)
{
    int fs = (int)check(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), type);
    check(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0), source);
    for (; options != NULL && options[0] != NULL; options += 2)
        check(syscall(SYS_fsconfig, fs, options[1] == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, options[0],
                      options[1], 0),
              options[0]);
    check(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), type);
    int made = (int)check(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes), type);
    close(fs);
    return made;
}

static int root;

static int reach(const char *target, int flags)
{
    struct open_how how = { .flags = (unsigned)(O_PATH | O_CLOEXEC | flags),
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, root, target, &how, sizeof how);
}

/* Puts a detached mount on a place inside the root. Both are closed. */
static void attach(int made, int place, const char *name)
{
    check(syscall(SYS_move_mount, made, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), name);
    close(made);
    close(place);
}

static void mount_at(const char *target, const char *type, const char *source, const char *const options[],
                     unsigned attributes)
{
    int place = reach(target, O_DIRECTORY);
    if (place < 0 && errno == ENOENT) {
        check(mkdirat(root, target + 1, 0755), target);
        place = (int)check(reach(target, O_DIRECTORY), target);
    }
    attach(make_filesystem(type, source, options, attributes), place, target);
}

static void enter_groups(void)
{
    for (unsigned at = 0; at < hierarchy_count; at++)
        if (!hierarchies[at].unified)
            write_file(path("%s/tasks", hierarchies[at].group), 0, "0");
    write_file("/proc/self/oom_score_adj", 0, "0");
    check(unshare(CLONE_NEWCGROUP), "unshare");
}

static void enter_root(void)
{
    const char *options[] = { "lowerdir+", rootfs,    "upperdir", path("%s/upper", directory), "workdir",
                              path("%s/work", directory), "volatile", NULL,       NULL };
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
    mount_at("/sys/fs/cgroup", "tmpfs", "tmpfs", (const char *[]){ "mode", "755", NULL }, ATTRIBUTES);
    for (unsigned at = 0; at < hierarchy_count; at++) {
        const struct hierarchy *one = &hierarchies[at];
        const char *name = strrchr(one->mount, '/') + 1;
        bool named = strncmp(one->options, "name=", 5) == 0;
        const char *flag[] = { one->options, NULL, NULL };
        const char *none[] = { "none", NULL, "name", one->options + 5, NULL };
        mount_at(path("/sys/fs/cgroup/%s", name), one->unified ? "cgroup2" : "cgroup", "cgroup",
                 one->unified ? NULL : named ? none : flag, ATTRIBUTES | MOUNT_ATTR_RDONLY);
    }
}

static void clone_onto(int source, int place, unsigned flags, unsigned attributes, const char *name)
{
    int tree = (int)check(syscall(SYS_open_tree, source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags), name);
    struct mount_attr set = { .attr_set = attributes };
    if (attributes != 0)
        check(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | flags, &set, sizeof set), name);
    attach(tree, place, name);
}

static void make_devices(void)
{
    static const struct {
        const char *name;
        unsigned major, minor;
    } nodes[] = { { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
                  { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
    static const char *const links[][2] = { { "pts/ptmx", "dev/ptmx" },          { "/proc/self/fd", "dev/fd" },
                                            { "/proc/self/fd/0", "dev/stdin" },  { "/proc/self/fd/1", "dev/stdout" },
                                            { "/proc/self/fd/2", "dev/stderr" }, { "/proc/kcore", "dev/core" } };
    for (unsigned at = 0; at < LENGTH(nodes); at++)
        check(mknodat(root, nodes[at].name, S_IFCHR | 0666, nodes[at].major << 8 | nodes[at].minor), nodes[at].name);
    for (unsigned at = 0; at < LENGTH(links); at++)
        check(symlinkat(links[at][0], root, links[at][1]), links[at][1]);
}

static void mount_all(const int files[3])
{
    static const char *const targets[] = { "/etc/resolv.conf", "/etc/hostname", "/etc/hosts" };
    mount_at("/proc", "proc", "proc", NULL, ATTRIBUTES);
    mount_at("/dev", "tmpfs", "tmpfs", (const char *[]){ "mode", "755", "size", "65536k", NULL },
             MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
    mount_at("/dev/pts", "devpts", "devpts",
             (const char *[]){ "ptmxmode", "0666", "mode", "0620", "gid", "5", NULL }, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    mount_at("/sys", "sysfs", "sysfs", NULL, ATTRIBUTES | MOUNT_ATTR_RDONLY);
    mount_groups();
    int place = (int)check(reach("/sys/fs/cgroup", 0), "/sys/fs/cgroup");
    clone_onto(place, dup(place), AT_RECURSIVE, MOUNT_ATTR_RDONLY, "/sys/fs/cgroup");
    close(place);
    mount_at("/dev/mqueue", "mqueue", "mqueue", NULL, ATTRIBUTES);
    mount_at("/dev/shm", "tmpfs", "shm", (const char *[]){ "mode", "1777", "size", "67108864", NULL }, ATTRIBUTES);
    make_devices();
    for (unsigned at = 0; at < LENGTH(targets); at++) {
        place = reach(targets[at], 0);
        if (place < 0 && errno == ENOENT) {
            check(mknodat(root, targets[at] + 1, S_IFREG | 0644, 0), targets[at]);
            place = (int)check(reach(targets[at], 0), targets[at]);
        }
        attach(files[at], place, targets[at]);
    }
}

static void raise_loopback(void)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = { .header = { sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 0, 0 },
                  .link = { .ifi_index = 1, .ifi_flags = 1 /* IFF_UP */, .ifi_change = 1 } };
    char answer[256];
    int fd = (int)check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink");
    check(send(fd, &request, sizeof request, 0), "netlink");
    check(recv(fd, answer, sizeof answer, 0), "netlink");
    close(fd);
}

static void hide_paths(void)
{
    static const char *const masked[] = { "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                                          "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                                          "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware" };
    static const char *const fixed[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };
    static const char *const empty_options[] = { "mode", "0555", "nr_inodes", "1", "ro", NULL, NULL };
    int empty = make_filesystem("tmpfs", "tmpfs", empty_options, ATTRIBUTES | MOUNT_ATTR_RDONLY);
    int null = (int)check(reach("/dev/null", 0), "/dev/null");
    for (unsigned at = 0; at < LENGTH(masked); at++) {
        struct stat status;
        int place = reach(masked[at], 0);
        if (place < 0)
            continue;
        check(fstat(place, &status), masked[at]);
        clone_onto(S_ISDIR(status.st_mode) ? empty : null, place, 0, 0, masked[at]);
    }
    for (unsigned at = 0; at < LENGTH(fixed); at++) {
        int place = reach(fixed[at], 0);
        if (place < 0)
            continue;
        clone_onto(place, dup(place), AT_RECURSIVE, MOUNT_ATTR_RDONLY, fixed[at]);
        close(place);
    }
}

static void drop_privileges(void)
{
    /* moby oci/caps/defaults.go */
    static const uint8_t kept[] = { CAP_CHOWN,    CAP_DAC_OVERRIDE,     CAP_FSETID,     CAP_FOWNER, CAP_MKNOD,
                                    CAP_NET_RAW,  CAP_SETGID,           CAP_SETUID,     CAP_SETFCAP, CAP_SETPCAP,
                                    CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL, CAP_AUDIT_WRITE };
    uint64_t set = 0;
    for (unsigned at = 0; at < sizeof kept; at++)
        set |= UINT64_C(1) << kept[at];
    for (unsigned at = 0; at <= CAP_LAST_CAP; at++)
        if (!(set >> at & 1))
            prctl(PR_CAPBSET_DROP, at, 0, 0, 0);
    check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter), "seccomp");
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    gid_t group_id = 0;
    check(syscall(SYS_setgroups, 1, &group_id), "setgroups");
    check(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
    check(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { (uint32_t)set, (uint32_t)set, 0 },
                                              { (uint32_t)(set >> 32), (uint32_t)(set >> 32), 0 } };
    check(syscall(SYS_capset, &header, data), "capset");
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

__attribute__((noreturn)) static void become_container(const int outputs[2])
{
    static const char *const names[] = { "resolv.conf", "hostname", "hosts" };
    static char *const argv[] = { "true", NULL };
    static char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                 "HOSTNAME=bare", "HOME=/root", NULL };
    int files[3];
    setsid();
    umask(0);
    enter_groups();
    for (unsigned at = 0; at < 3; at++)
        files[at] = (int)check(syscall(SYS_open_tree, AT_FDCWD, path("%s/files/%s", directory, names[at]),
                                       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
                               names[at]);
    enter_root();
    mount_all(files);
    check(sethostname("bare", 4), "sethostname");
    raise_loopback();
    write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", 0, "0");
    write_file("/proc/sys/net/ipv4/ping_group_range", 0, "0 2147483647");
    hide_paths();
    check(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "bare"), "keyctl");
    drop_privileges();
    umask(022);
    int null = (int)check(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
    dup2(null, 0);
    dup2(outputs[0], 1);
    dup2(outputs[1], 2);
    syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
    execve("/bin/true", argv, env);
    die("execve");
}

/* ---- one container ---- */

static void run_container(void)
{
    int ends[2][2], pidfd, status;
    struct clone_args arguments = { .flags = CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
                                             CLONE_NEWNET,
                                    .pidfd = (uint64_t)(uintptr_t)&pidfd,
                                    .exit_signal = SIGCHLD };
    for (unsigned at = 0; at < 2; at++)
        check(pipe2(ends[at], O_CLOEXEC), "pipe2");
    const struct hierarchy *unified = NULL;
    for (unsigned at = 0; at < hierarchy_count; at++)
        if (hierarchies[at].unified)
            unified = &hierarchies[at];
    if (unified != NULL) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)check(open(unified->group, O_PATH | O_DIRECTORY | O_CLOEXEC), unified->group);
    }
    long pid = check(syscall(SYS_clone3, &arguments, sizeof arguments), "clone3");
    if (pid == 0)
        become_container((const int[]){ ends[0][1], ends[1][1] });
    for (unsigned at = 0; at < 2; at++) {
        char output[1024];
        close(ends[at][1]);
        while (read(ends[at][0], output, sizeof output) > 0)
            ;
        close(ends[at][0]);
    }
    check(waitpid((pid_t)pid, &status, 0), "waitpid");
    close(pidfd);
    if (status != 0) {
        errno = ECHILD;
        die("true");
    }
    if (unified != NULL) {
        close((int)arguments.cgroup);
        write_file(path("%s/cgroup.kill", unified->group), 0, "1");
    }
    remove_groups();
}

static int sealed(const char *file)
{
    int from = (int)check(open(file, O_RDONLY | O_CLOEXEC), file);
    int to = (int)check(memfd_create("bare", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
    char bytes[65536];
    for (long length; (length = read(from, bytes, sizeof bytes)) > 0;)
        check(write(to, bytes, (size_t)length), "memfd");
    close(from);
    check(fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), "seal");
    return to;
}

/* The frame that says how the container ended is the last before the end: src/domain/kernel/Supervisor.ts. */
#define FRAME_EXITED 18

static void run_supervised(void)
{
    static int image = -1, contents = -1;
    static char *const env[] = { NULL };
    char *const argv[] = { "fx-init", strrchr(directory, '/') + 1, NULL };
    int pair[2];
    if (image < 0)
        image = sealed(init), contents = sealed(specification);
    check(mkdir(run_directory, 0700), run_directory);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
    pid_t pid = vfork();
    if (pid == 0) {
        /* 3 and 4 are taken by now, by `filter` never: it is mapped. */
        int high = fcntl(pair[1], F_DUPFD, 10), text = fcntl(contents, F_DUPFD, 10), program = fcntl(image, F_DUPFD_CLOEXEC, 10);
        dup2(text, 3);
        dup2(high, 4);
        syscall(SYS_close_range, 5, ~0U, 4);
        syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
        _exit(127);
    }
    check(pid, "vfork");
    close(pair[1]);
    unsigned char bytes[1024];
    unsigned last = 0;
    for (long length; last != FRAME_EXITED && (length = read(pair[0], bytes, sizeof bytes)) > 0;)
        for (long at = 0; at < length; at += 8 + bytes[at + 7])
            last = bytes[at];
    close(pair[0]);
    if (last != FRAME_EXITED) {
        errno = ECHILD;
        die("the supervisor");
    }
    remove_tree(AT_FDCWD, run_directory);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void read_filter(const char *file)
{
    static struct sock_filter instructions[BPF_MAXINSNS];
    int fd = (int)check(open(file, O_RDONLY | O_CLOEXEC), file);
    long length = check(read(fd, instructions, sizeof instructions), file);
    close(fd);
    filter = (struct sock_fprog){ (unsigned short)((unsigned long)length / sizeof *instructions), instructions };
}

int main(int count, char **arguments)
{
    char line[64];
    if (count != 5 && count != 8) {
        fputs("bare: usage: bare ROOTFS DIRECTORY GROUP FILTER [INIT SPECIFICATION RUN_DIRECTORY]\n", stderr);
        return 2;
    }
    rootfs = arguments[1], directory = arguments[2], group = arguments[3];
    read_filter(arguments[4]);
    if (count == 8)
        init = arguments[5], specification = arguments[6], run_directory = arguments[7];
    find_hierarchies();
    make_parents();
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint64_t began = now();
        make_directories();
        make_groups();
        if (init == NULL)
            run_container();
        else
            run_supervised();
        remove_tree(AT_FDCWD, directory);
        uint64_t ended = now();
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        printf("%llu\n", (unsigned long long)(ended - began));
        fflush(stdout);
    }
    return 0;
}
