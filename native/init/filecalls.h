/*
 * System calls on files and mounts. Each returns what the kernel does: a negative errno on failure.
 * Only calls that both architectures have are used.
 */
#ifndef FX_FILECALLS_H
#define FX_FILECALLS_H

#include "kernel.h"

/* Files */
static inline int sys_openat(int at, const char *path, int flags, unsigned mode)
{
    return (int)SYSCALL4(openat, at, path, flags, mode);
}

static inline int sys_openat2(int at, const char *path, struct open_how *how)
{
    return (int)SYSCALL4(openat2, at, path, how, sizeof *how);
}

static inline long sys_read(int fd, void *into, size_t length)
{
    return SYSCALL3(read, fd, into, length);
}

static inline long sys_write(int fd, const void *from, size_t length)
{
    return SYSCALL3(write, fd, from, length);
}

static inline int sys_close(int fd)
{
    return (int)SYSCALL1(close, fd);
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)SYSCALL3(close_range, first, last, flags);
}

static inline int sys_dup3(int from, int to, int flags)
{
    return (int)SYSCALL3(dup3, from, to, flags);
}

static inline int sys_pipe2(int ends[2], int flags)
{
    return (int)SYSCALL2(pipe2, ends, flags);
}

static inline long sys_fcntl(int fd, int command, long argument)
{
    return SYSCALL3(fcntl, fd, command, argument);
}

static inline int sys_ioctl(int fd, unsigned long request, const void *argument)
{
    return (int)SYSCALL3(ioctl, fd, request, argument);
}

static inline int sys_statx(int at, const char *path, int flags, unsigned mask, struct statx *into)
{
    return (int)SYSCALL5(statx, at, path, flags, mask, into);
}

static inline int sys_fstatfs(int fd, struct statfs *into)
{
    return (int)SYSCALL2(fstatfs, fd, into);
}

static inline long sys_getdents64(int fd, void *into, size_t length)
{
    return SYSCALL3(getdents64, fd, into, length);
}

static inline int sys_mkdirat(int at, const char *path, unsigned mode)
{
    return (int)SYSCALL3(mkdirat, at, path, mode);
}

static inline int sys_mknodat(int at, const char *path, unsigned mode, unsigned device)
{
    return (int)SYSCALL4(mknodat, at, path, mode, device);
}

static inline int sys_symlinkat(const char *target, int at, const char *path)
{
    return (int)SYSCALL3(symlinkat, target, at, path);
}

static inline long sys_readlinkat(int at, const char *path, char *into, size_t length)
{
    return SYSCALL4(readlinkat, at, path, into, length);
}

static inline int sys_unlinkat(int at, const char *path, int flags)
{
    return (int)SYSCALL3(unlinkat, at, path, flags);
}

static inline int sys_renameat2(int from_at, const char *from, int to_at, const char *to,
                                unsigned flags)
{
    return (int)SYSCALL5(renameat2, from_at, from, to_at, to, flags);
}

static inline int sys_fchownat(int at, const char *path, unsigned uid, unsigned gid, int flags)
{
    return (int)SYSCALL5(fchownat, at, path, uid, gid, flags);
}

static inline int sys_fchmodat(int at, const char *path, unsigned mode)
{
    return (int)SYSCALL3(fchmodat, at, path, mode);
}

static inline int sys_fchmod(int fd, unsigned mode)
{
    return (int)SYSCALL2(fchmod, fd, mode);
}

static inline int sys_faccessat(int at, const char *path, int mode)
{
    return (int)SYSCALL3(faccessat, at, path, mode);
}

static inline int sys_ftruncate(int fd, uint64_t size)
{
    return (int)SYSCALL2(ftruncate, fd, size);
}

static inline int sys_utimensat(int at, const char *path, const struct __kernel_timespec times[2],
                                int flags)
{
    return (int)SYSCALL4(utimensat, at, path, times, flags);
}

static inline int sys_linkat(int from_at, const char *from, int to_at, const char *to)
{
    return (int)SYSCALL5(linkat, from_at, from, to_at, to, 0);
}

static inline long sys_flistxattr(int fd, char *names, size_t size)
{
    return SYSCALL3(flistxattr, fd, names, size);
}

static inline long sys_fgetxattr(int fd, const char *name, void *value, size_t size)
{
    return SYSCALL4(fgetxattr, fd, name, value, size);
}

static inline int sys_fsetxattr(int fd, const char *name, const void *value, size_t size)
{
    return (int)SYSCALL5(fsetxattr, fd, name, value, size, 0);
}

static inline long sys_sendfile(int to, int from, size_t length)
{
    return SYSCALL4(sendfile, to, from, 0, length);
}

static inline int sys_chdir(const char *path)
{
    return (int)SYSCALL1(chdir, path);
}

static inline int sys_fchdir(int fd)
{
    return (int)SYSCALL1(fchdir, fd);
}

static inline long sys_getcwd(char *into, size_t length)
{
    return SYSCALL2(getcwd, into, length);
}

static inline unsigned sys_umask(unsigned mask)
{
    return (unsigned)SYSCALL1(umask, mask);
}

static inline long sys_mmap_file(int fd, size_t length)
{
    return SYSCALL6(mmap, 0, length, PROT_READ, MAP_PRIVATE, fd, 0);
}

static inline int sys_munmap(const void *at, size_t length)
{
    return (int)SYSCALL2(munmap, at, length);
}

/* Gives the pages back; what was in private memory reads as zero then. */
static inline int sys_forget(const void *at, size_t length)
{
    return (int)SYSCALL3(madvise, at, length, 4 /* MADV_DONTNEED of asm-generic/mman-common.h */);
}

/* Mounts */
static inline int sys_mount(const char *source, const char *target, const char *type,
                            unsigned long flags, const void *data)
{
    return (int)SYSCALL5(mount, source, target, type, flags, data);
}

static inline int sys_umount2(const char *target, int flags)
{
    return (int)SYSCALL2(umount2, target, flags);
}

static inline int sys_pivot_root(const char *new_root, const char *old_root)
{
    return (int)SYSCALL2(pivot_root, new_root, old_root);
}

static inline int sys_fsopen(const char *type, unsigned flags)
{
    return (int)SYSCALL2(fsopen, type, flags);
}

static inline int sys_fsconfig(int fd, unsigned command, const char *key, const void *value)
{
    return (int)SYSCALL5(fsconfig, fd, command, key, value, 0);
}

static inline int sys_fsmount(int fd, unsigned flags, unsigned attributes)
{
    return (int)SYSCALL3(fsmount, fd, flags, attributes);
}

static inline int sys_open_tree(int at, const char *path, unsigned flags)
{
    return (int)SYSCALL3(open_tree, at, path, flags);
}

static inline int sys_move_mount(int from_at, const char *from, int to_at, const char *to,
                                 unsigned flags)
{
    return (int)SYSCALL5(move_mount, from_at, from, to_at, to, flags);
}

static inline int sys_mount_setattr(int at, const char *path, unsigned flags,
                                    struct mount_attr *attributes)
{
    return (int)SYSCALL5(mount_setattr, at, path, flags, attributes, sizeof *attributes);
}

/* An fd that closes itself at the end of the block: `CLOSED int fd = …`. */
static inline void close_owned(const int *fd)
{
    if (*fd >= 0)
        sys_close(*fd);
}
#define CLOSED __attribute__((cleanup(close_owned)))

#endif
