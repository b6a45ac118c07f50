/* Directories and control groups of a container on the host, made and removed as the engine does. */
#include "bare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct hierarchy hierarchies[32];
unsigned hierarchy_count;

/* proc_pid_mountinfo(5): the mount point is field 5, the hierarchy's options are the last field. */
void find_hierarchies(void)
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
        strncat(strcpy(one->group, one->mount), group, sizeof one->group - sizeof one->mount);
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
void make_parents(void)
{
    static const char *const inherited[] = { "cpuset.cpus", "cpuset.mems" };
    int length = (int)(strrchr(group, '/') - group);
    for (unsigned at = 0; at < hierarchy_count; at++) {
        const char *parent = path("%s%.*s", hierarchies[at].mount, length, group);
        if (mkdir(parent, 0755) < 0 && errno != EEXIST)
            die(parent);
    }
    const struct hierarchy *cpuset = hierarchy_of("cpuset");
    if (cpuset == NULL)
        return;
    for (unsigned at = 0; at < LENGTH(inherited); at++)
        copy_file(path("%s/%s", cpuset->mount, inherited[at]),
                  path("%s%.*s/%s", cpuset->mount, length, group, inherited[at]));
    write_file(path("%s%.*s/cgroup.clone_children", cpuset->mount, length, group), 0, "1");
}

void make_groups(void)
{
    static const char *const rules[] = {
        "c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",   "c 1:8 rwm",
        "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm", "c 10:200 rwm",
    };
    for (unsigned at = 0; at < hierarchy_count; at++)
        check(mkdir(hierarchies[at].group, 0755), hierarchies[at].group);
    const struct hierarchy *devices = hierarchy_of("devices");
    if (devices == NULL)
        return;
    write_file(path("%s/devices.deny", devices->group), 0, "a");
    for (unsigned at = 0; at < LENGTH(rules); at++)
        write_file(path("%s/devices.allow", devices->group), 0, rules[at]);
}

/* Control groups may stay busy for a moment after their last process. */
void remove_groups(void)
{
    for (unsigned at = 0; at < hierarchy_count; at++)
        while (rmdir(hierarchies[at].group) < 0) {
            if (errno != EBUSY)
                die(hierarchies[at].group);
            usleep(200);
        }
}

void make_directories(void)
{
    static const char *const names[] = { "upper", "work", "files", "rootfs" };
    static const char hosts[] = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
                                "fe00::\tip6-localnet\nff00::\tip6-mcastprefix\n"
                                "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
    check(mkdir(directory, 0755), directory);
    for (unsigned at = 0; at < LENGTH(names); at++)
        check(mkdir(path("%s/%s", directory, names[at]), 0755), names[at]);
    write_file(path("%s/files/hostname", directory), O_CREAT | O_EXCL, "bare\n");
    write_file(path("%s/files/hosts", directory), O_CREAT | O_EXCL, hosts);
    write_file(path("%s/files/resolv.conf", directory), O_CREAT | O_EXCL,
               "nameserver 192.0.2.1\n");
}

void remove_tree(int at, const char *name)
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
