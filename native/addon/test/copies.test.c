/* Copies of trees under the sanitizers, in a directory of their own: all that a tree has, and copies that are given up. */
#include "../addon.h"
#include "../../test/expect.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/xattr.h>

static char top[] = "/tmp/fx-test-XXXXXX";

/* One of a few paths at a time. */
static const char *at(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, 256, "%s/%s", top, name);
    return path;
}

static void write_at(const char *name, const char *text, off_t offset)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    EXPECT(fd >= 0 && pwrite(fd, text, strlen(text), offset) == (ssize_t)strlen(text));
    close(fd);
}

static struct stat status_of(const char *name)
{
    struct stat status = { 0 };
    EXPECT(lstat(at(name), &status) == 0);
    return status;
}

static void make_tree(void)
{
    const struct timespec times[2] = { { 3, 0 }, { 7, 9 } };
    EXPECT(mkdir(at("from"), 0700) == 0 && mkdir(at("from/in"), 0711) == 0);
    write_at("from/file", "content", 0);
    write_at("from/in/sparse", "end", 1 << 20);
    EXPECT(link(at("from/file"), at("from/in/other")) == 0);
    EXPECT(symlink("file", at("from/link")) == 0);
    EXPECT(mkfifo(at("from/fifo"), 0604) == 0);
    EXPECT(setxattr(at("from/in"), "user.a", "b", 1, 0) == 0 || errno == EOPNOTSUPP);
    EXPECT(utimensat(AT_FDCWD, at("from/in"), times, 0) == 0);
}

static void a_copy_has_all_that_the_tree_has(void)
{
    struct fault fault = { 0 };
    char target[16] = "";
    EXPECT(copy_tree(at("from"), at("to"), NULL, &fault) == 0);
    EXPECT(status_of("to/file").st_ino == status_of("to/in/other").st_ino);
    EXPECT(status_of("to/file").st_ino != status_of("from/file").st_ino && status_of("to/file").st_nlink == 2);
    EXPECT(status_of("to/in/sparse").st_size == (1 << 20) + 3);
    EXPECT(status_of("to/in/sparse").st_blocks <= status_of("from/in/sparse").st_blocks + 8);
    EXPECT(readlink(at("to/link"), target, sizeof target) == 4 && memcmp(target, "file", 4) == 0);
    EXPECT(status_of("to/fifo").st_mode == (S_IFIFO | 0604));
    EXPECT(status_of("to/in").st_mode == (S_IFDIR | 0711) && status_of("to/in").st_mtim.tv_sec == 7);
    EXPECT(status_of("to/in").st_mtim.tv_nsec == 9);
    EXPECT(remove_tree(at("to"), NULL, &fault) == 0);
}

static void a_copy_that_cannot_be_is_refused(void)
{
    struct fault fault = { 0 };
    int32_t gone = 1;
    EXPECT(copy_tree(at("from"), at("from/in"), NULL, &fault) == -EINVAL);
    EXPECT(copy_tree(at("from"), at("from/in/deeper"), NULL, &fault) == -EINVAL);
    EXPECT(copy_tree(at("from/in"), at("from/file"), NULL, &fault) == -EEXIST);
    EXPECT(copy_tree(at("none"), at("to"), NULL, &fault) == -ENOENT);
    EXPECT(copy_tree(at("from"), at("none/to"), NULL, &fault) == -ENOENT);
    EXPECT(copy_tree(at("from"), at("to/.."), NULL, &fault) == -EINVAL);
    EXPECT(copy_tree(at("from"), at("to"), &gone, &fault) == -ECANCELED);
    EXPECT(remove_tree(at("to"), NULL, &fault) == 0);
    EXPECT(make_subvolume(at("to"), &fault) == -ENOTTY && snapshot_subvolume(at("from"), at("to"), &fault) == -ENOTTY);
    EXPECT(access(at("to"), F_OK) < 0);
}

/* A level of the deepest tree that a layer may have. */
static void go_to_level(const char *tree, int level)
{
    EXPECT(chdir(at(tree)) == 0);
    for (; level > 0; level--)
        EXPECT(chdir("d") == 0);
}

static void a_deep_tree_is_copied_with_few_descriptors(void)
{
    struct fault fault = { 0 };
    struct rlimit limit;
    struct stat status;
    char home[512];
    int32_t flag = 0;
    EXPECT(getcwd(home, sizeof home) != NULL && mkdir(at("low"), 0700) == 0 && chdir(at("low")) == 0);
    for (int level = 0; level < 1000; level++) {
        EXPECT(mkdir("d", 0755) == 0 && mkdir("other", 0711) == 0 && symlink("x", "other/link") == 0);
        EXPECT(chdir("d") == 0);
    }
    EXPECT(chdir(home) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const struct rlimit few = { .rlim_cur = 160, .rlim_max = limit.rlim_max };
    EXPECT(setrlimit(RLIMIT_NOFILE, &few) == 0);
    EXPECT(copy_tree(at("low"), at("to"), NULL, &fault) == 0);
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    go_to_level("to", 1000);
    EXPECT(access("d", F_OK) < 0 && stat(".", &status) == 0 && status.st_mode == (S_IFDIR | 0755));
    for (int level = 999; level >= 0; level--)
        EXPECT(chdir("..") == 0 && stat("other", &status) == 0 && status.st_mode == (S_IFDIR | 0711) &&
               lstat("other/link", &status) == 0);
    EXPECT(chdir(home) == 0);
    EXPECT(remove_tree(at("to"), &flag, &fault) == 0 && remove_tree(at("low"), &flag, &fault) == 0);
}

static void a_tree_of_many_levels_is_copied_or_refused(void)
{
    struct fault fault = { 0 };
    char home[512];
    int32_t flag = 0;
    EXPECT(getcwd(home, sizeof home) != NULL && chdir(at("from")) == 0);
    for (int level = 0; level < 1500; level++)
        EXPECT(mkdir("deep", 0755) == 0 && chdir("deep") == 0);
    EXPECT(chdir(home) == 0);
    EXPECT(copy_tree(at("from"), at("to"), NULL, &fault) == -ENAMETOOLONG && fault.path[0] != 0);
    EXPECT(remove_tree(at("to"), &flag, &fault) == 0);
}

int main(void)
{
    struct fault fault = { 0 };
    int32_t flag = 0;
    if (mkdtemp(top) == NULL)
        return 1;
    make_tree();
    a_copy_has_all_that_the_tree_has();
    a_copy_that_cannot_be_is_refused();
    a_deep_tree_is_copied_with_few_descriptors();
    a_tree_of_many_levels_is_copied_or_refused();
    EXPECT(remove_tree(at("from"), &flag, &fault) == 0);
    rmdir(top);
    return conclude("addon/copies");
}
