/* The functions of report.h. */
#include "report.h"
#include "syscall.h"

/* struct cmsghdr with one int, padded as CMSG_SPACE does on 64-bit machines. */
struct fd_control {
    size_t length;
    int level;
    int type;
    int fd;
    int padding;
};

/* CMSG_LEN of one int. */
#define FD_CONTROL_LENGTH (sizeof(struct fd_control) - sizeof(int))

int send_with_fd(int socket, const void *bytes, unsigned long length, int fd)
{
    struct fd_control control = { FD_CONTROL_LENGTH, SOL_SOCKET, SCM_RIGHTS, fd, 0 };
    struct kernel_iovec part = { (void *)(uintptr_t)bytes, length };
    struct kernel_msghdr message = { .parts = &part, .parts_count = 1 };
    if (fd >= 0) {
        message.control = &control;
        message.control_length = sizeof control;
    }
    long sent = sys_sendmsg(socket, &message, MSG_NOSIGNAL);
    return sent < 0 ? (int)sent : 0;
}

long receive_with_fd(int socket, void *bytes, unsigned long length, int flags, int *fd)
{
    struct fd_control control = { 0 };
    struct kernel_iovec part = { bytes, length };
    struct kernel_msghdr message = {
        .parts = &part, .parts_count = 1, .control = &control, .control_length = sizeof control
    };
    *fd = -1;
    long received = sys_recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (received >= 0 && message.control_length >= FD_CONTROL_LENGTH && control.type == SCM_RIGHTS)
        *fd = control.fd;
    return received;
}
