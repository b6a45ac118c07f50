/* What the container's process does between clone and exec. */
#include "bare.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/mount.h, which clashes with other headers */
#define OPEN_TREE_CLONE 1

static void enter_groups(void)
{
    for (unsigned at = 0; at < hierarchy_count; at++)
        if (!hierarchies[at].unified)
            write_file(path("%s/tasks", hierarchies[at].group), 0, "0");
    write_file("/proc/self/oom_score_adj", 0, "0");
    check(unshare(CLONE_NEWCGROUP), "unshare");
}

static int clone_file(const char *name)
{
    const char *file = path("%s/files/%s", directory, name);
    return (int)check(syscall(SYS_open_tree, AT_FDCWD, file, OPEN_TREE_CLONE | O_CLOEXEC), file);
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

/* moby oci/caps/defaults.go */
static const uint8_t kept[] = { CAP_CHOWN,   CAP_DAC_OVERRIDE,     CAP_FSETID,     CAP_FOWNER,
                                CAP_MKNOD,   CAP_NET_RAW,          CAP_SETGID,     CAP_SETUID,
                                CAP_SETFCAP, CAP_SETPCAP,          CAP_NET_BIND_SERVICE,
                                CAP_SYS_CHROOT, CAP_KILL,          CAP_AUDIT_WRITE };

static void drop_privileges(void)
{
    uint64_t set = 0;
    gid_t group_id = 0;
    for (unsigned at = 0; at < sizeof kept; at++)
        set |= UINT64_C(1) << kept[at];
    for (unsigned at = 0; at <= CAP_LAST_CAP; at++)
        if (!(set >> at & 1))
            prctl(PR_CAPBSET_DROP, at, 0, 0, 0);
    check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter),
          "seccomp");
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    check(syscall(SYS_setgroups, 1, &group_id), "setgroups");
    check(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
    check(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
    uint32_t low = (uint32_t)set, high = (uint32_t)(set >> 32);
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { low, low, 0 }, { high, high, 0 } };
    check(syscall(SYS_capset, &header, data), "capset");
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static void take_streams(const int outputs[2])
{
    int null = (int)check(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
    dup2(null, 0);
    dup2(outputs[0], 1);
    dup2(outputs[1], 2);
    syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
}

void become_container(const int outputs[2])
{
    static char *const argv[] = { "true", NULL };
    static char *const env[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=bare",
        "HOME=/root", NULL
    };
    setsid();
    umask(0);
    enter_groups();
    const int files[3] = { clone_file("resolv.conf"), clone_file("hostname"), clone_file("hosts") };
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
    take_streams(outputs);
    execve("/bin/true", argv, env);
    die("execve");
}
