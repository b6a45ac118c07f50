/*
 * tree list DIRECTORY: everything below a directory, a line for each entry, so that trees which different programs
 * have unpacked can be compared. Fields, separated by tabs: path, type, mode, uid, gid, seconds.nanoseconds of the
 * last change, device numbers, what is in it (size and FNV-1a hash of a file, target of a link), inode, extended
 * attributes. Bytes that are no plain text are written as \ooo.
 *
 * tree decorate DIRECTORY: makes there whatever an image may hold and a plain copy of files does not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

static void failed(const char *what)
{
    fprintf(stderr, "tree: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void require(int result, const char *what)
{
    if (result < 0)
        failed(what);
}

static void print_text(const char *bytes, size_t length)
{
    for (size_t index = 0; index < length; index++) {
        unsigned char byte = (unsigned char)bytes[index];
        if (byte > 32 && byte < 127 && byte != '\\')
            putchar(byte);
        else
            printf("\\%03o", byte);
    }
}

static void print_contents(const char *path)
{
    static unsigned char buffer[1 << 18];
    uint64_t hash = 0xcbf29ce484222325u;
    unsigned long long size = 0;
    ssize_t got;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    require(file, path);
    while ((got = read(file, buffer, sizeof buffer)) > 0) {
        for (ssize_t index = 0; index < got; index++)
            hash = (hash ^ buffer[index]) * 0x100000001b3u;
        size += (unsigned long long)got;
    }
    require((int)got, path);
    close(file);
    printf("%llu:%016llx", size, (unsigned long long)hash);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Overlay keeps its own notes there; nobody who looks at the mounted tree sees them. */
static int is_private(const char *name)
{
    return strncmp(name, "trusted.overlay.", 16) == 0;
}

static void print_attributes(const char *path)
{
    char names[65536], *sorted[1024];
    size_t count = 0;
    ssize_t length = llistxattr(path, names, sizeof names);
    if (length < 0 && errno == ENOTSUP)
        return;
    require((int)length, path);
    for (char *name = names; name < names + length; name += strlen(name) + 1)
        if (!is_private(name) && count < sizeof sorted / sizeof *sorted)
            sorted[count++] = name;
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t index = 0; index < count; index++) {
        char value[65536];
        ssize_t size = lgetxattr(path, sorted[index], value, sizeof value);
        require((int)size, path);
        printf("%s%s=", index == 0 ? "" : ",", sorted[index]);
        print_text(value, (size_t)size);
    }
}

static void print_entry(const char *path, const char *name, const struct stat *found)
{
    static const struct { mode_t type; char letter; } types[] = {
        { S_IFREG, 'f' }, { S_IFDIR, 'd' }, { S_IFLNK, 'l' }, { S_IFCHR, 'c' }, { S_IFBLK, 'b' }, { S_IFIFO, 'p' }, { S_IFSOCK, 's' },
    };
    char letter = '?', target[8192];
    for (size_t index = 0; index < sizeof types / sizeof *types; index++)
        if ((found->st_mode & S_IFMT) == types[index].type)
            letter = types[index].letter;
    print_text(name, strlen(name));
    printf("\t%c\t%04o\t%u\t%u\t%lld.%09ld\t", letter, found->st_mode & 07777, found->st_uid, found->st_gid,
           (long long)found->st_mtim.tv_sec, found->st_mtim.tv_nsec);
    if (letter == 'c' || letter == 'b')
        printf("%u:%u", major(found->st_rdev), minor(found->st_rdev));
    putchar('\t');
    if (letter == 'f')
        print_contents(path);
    if (letter == 'l') {
        ssize_t length = readlink(path, target, sizeof target);
        require((int)length, path);
        print_text(target, (size_t)length);
    }
    printf("\t%s%llu\t", letter != 'd' && found->st_nlink > 1 ? "" : "-", (unsigned long long)found->st_ino);
    print_attributes(path);
    putchar('\n');
}

/* Names below `directory`; `prefix` is how they are shown. Works in the directory itself: paths may be long. */
static void list(const char *prefix)
{
    struct dirent *entry;
    DIR *directory = opendir(".");
    if (directory == NULL)
        failed(prefix);
    while ((entry = readdir(directory)) != NULL) {
        const char *name = entry->d_name;
        struct stat found;
        char *shown;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        require(asprintf(&shown, "%s/%s", prefix, name), name);
        require(lstat(name, &found), shown);
        print_entry(name, shown, &found);
        if (S_ISDIR(found.st_mode)) {
            int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
            require(back, shown);
            require(chdir(name), shown);
            list(shown);
            require(fchdir(back), shown);
            close(back);
        }
        free(shown);
    }
    closedir(directory);
}

static void write_file(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    require(file, path);
    require((int)write(file, text, strlen(text)), path);
    close(file);
}

static void attribute(const char *path, const char *name, const void *value, size_t size)
{
    require(lsetxattr(path, name, value, size, 0), path);
}

static void set_time(const char *path, time_t seconds, long nanoseconds)
{
    struct timespec times[2] = { { seconds, nanoseconds }, { seconds, nanoseconds } };
    require(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), path);
}

/* vfs_cap_data, revision 2, of linux/capability.h: effective, permitted CAP_NET_BIND_SERVICE. */
static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 4 };

static void make_names(void)
{
    char name[256], *path;
    static const char *const odd[] = {
        "with space", "new\nline", "tab\there", "back\\slash", "quo\"te'", "-dash", "\xc3\xa4\xc3\xb6\xc3\xbc", "latin\xff\xfe",
        "=equals", "100%", "*star?", "...", "..dots", " ", "semi;colon",
    };
    require(mkdir("odd", 0755), "odd");
    for (size_t index = 0; index < sizeof odd / sizeof *odd; index++) {
        require(asprintf(&path, "odd/%s", odd[index]), "memory");
        write_file(path, odd[index]);
        free(path);
    }
    memset(name, 'n', 255);
    name[255] = 0;
    require(asprintf(&path, "odd/%s", name), "memory");
    write_file(path, "a name of 255 bytes");
    free(path);
    /* Paths of more than 255, and with the last more than 512 bytes, a step at a time */
    int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    name[120] = 0;
    require(mkdir("deep", 0755) | chdir("deep"), "deep");
    for (int level = 0; level < 5; level++)
        require(mkdir(name, 0755) | chdir(name), "deep");
    write_file("bottom", "far below");
    require(symlink("bottom", "link"), "link");
    require(link("bottom", "other name"), "other name");
    require(fchdir(back), "back");
    close(back);
    /* A link whose target is longer than a header's field */
    char target[400];
    memset(target, 't', sizeof target - 1);
    target[sizeof target - 1] = 0;
    require(symlink(target, "long target"), "long target");
}

static void make_nodes(void)
{
    require(mkdir("nodes", 0755), "nodes");
    require(mknod("nodes/null", S_IFCHR | 0666, makedev(1, 3)), "null");
    require(chmod("nodes/null", 0666), "null");
    require(mknod("nodes/disk", S_IFBLK | 0660, makedev(259, 70000)), "disk");
    require(mkfifo("nodes/pipe", 0640), "pipe");
    set_time("nodes/null", 1600000000, 1);
    set_time("nodes/pipe", 1600000001, 999999999);
}

static void make_owners(void)
{
    require(mkdir("owners", 0755), "owners");
    write_file("owners/large", "id");
    require(chown("owners/large", 2097153, 4000000000u), "large");
    write_file("owners/setuid", "#!/bin/sh\n");
    require(chown("owners/setuid", 1000, 50), "setuid");
    require(chmod("owners/setuid", 06755), "setuid");
    require(mkdir("owners/sticky", 0755) | chmod("owners/sticky", 01777), "sticky");
    require(mkdir("owners/setgid", 0755) | chown("owners/setgid", 0, 50) | chmod("owners/setgid", 02775), "setgid");
    write_file("owners/nobody may", "");
    require(chmod("owners/nobody may", 0), "nobody may");
    require(symlink("large", "owners/link"), "link");
    require(lchown("owners/link", 3000000, 7), "link");
}

static void make_times(void)
{
    require(mkdir("times", 0755), "times");
    write_file("times/nanoseconds", "");
    write_file("times/epoch", "");
    write_file("times/future", "");
    require(symlink("epoch", "times/link"), "link");
    set_time("times/nanoseconds", 1234567890, 123456789);
    set_time("times/epoch", 0, 0);
    set_time("times/future", 7000000000, 500000000);
    set_time("times/link", 1111111111, 111111111);
}

static void make_attributes(void)
{
    char large[2000];
    require(mkdir("attributes", 0755), "attributes");
    write_file("attributes/capable", "#!/bin/sh\n");
    require(chmod("attributes/capable", 0755), "capable");
    attribute("attributes/capable", "security.capability", capability, sizeof capability);
    write_file("attributes/user", "");
    attribute("attributes/user", "user.plain", "value", 5);
    attribute("attributes/user", "user.empty", "", 0);
    attribute("attributes/user", "user.binary", "a\0b\nc=d\xff", 9);
    memset(large, 'x', sizeof large);
    write_file("attributes/large", "");
    attribute("attributes/large", "user.large", large, sizeof large);
    require(mkdir("attributes/directory", 0755), "directory");
    attribute("attributes/directory", "user.of a directory", "yes", 3);
}

static void make_files(void)
{
    int file;
    require(mkdir("files", 0755), "files");
    write_file("files/empty", "");
    write_file("files/first", "one file");
    require(link("files/first", "files/second") | link("files/first", "another name"), "links");
    require(symlink("/files/first", "files/absolute") | symlink("../../../etc/passwd", "files/outside"), "links");
    require(symlink("first", "files/symbolic") | link("files/symbolic", "files/hard link to a symbolic one"), "links");
    /* Holes in front, between and behind */
    file = open("files/sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    require(file, "sparse");
    require((int)pwrite(file, "data", 4, 1 << 20) | (int)pwrite(file, "more", 4, 5 << 20), "sparse");
    require(ftruncate(file, 8 << 20), "sparse");
    close(file);
    require(mkdir("files/empty directory", 0700), "empty directory");
}

int main(int count, char **words)
{
    struct stat found;
    if (count != 3) {
        fprintf(stderr, "usage: tree list|decorate DIRECTORY\n");
        return 2;
    }
    umask(022);
    require(chdir(words[2]), words[2]);
    if (strcmp(words[1], "list") == 0) {
        require(lstat(".", &found), words[2]);
        print_entry(".", "/", &found);
        list("");
    } else {
        make_names();
        make_nodes();
        make_owners();
        make_attributes();
        make_files();
        make_times();
        /* Directories last: what is made in them changes their time */
        set_time("times", 1500000000, 42);
        set_time("nodes", 1500000001, 0);
    }
    return 0;
}
