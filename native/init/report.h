/*
 * What passes between child and supervisor on their private SOCK_SEQPACKET pair. The child's end
 * closes by exec: an end without a failure before it means that the program runs.
 */
#ifndef FX_REPORT_H
#define FX_REPORT_H

#include <stdint.h>

enum report_kind {
    /* An operation failed; the child is about to exit. */
    REPORT_FAILURE = 1,
    /* The master of the container's pty comes along. */
    REPORT_TERMINAL = 2,
};

struct report {
    uint32_t kind;
    int32_t operation;
    /* A negative errno. */
    int32_t error;
    char syscall[20];
    char path[992];
};

/*
 * Sends bytes with an fd (−1: none); 0 or a negative errno. The supervisor's only message to the
 * child is one byte, "go on, the user namespace is mapped", with the root's mount if it made one.
 */
int send_with_fd(int socket, const void *bytes, unsigned long length, int fd);

/*
 * Receives one message: its length, 0 at the end, or a negative errno. `*fd` is −1 when none came.
 */
long receive_with_fd(int socket, void *bytes, unsigned long length, int flags, int *fd);

#endif
