/*
 * From the container to its log and its clients. Nothing is read before all clients have the last
 * frame.
 */
#include "supervisor.h"

void watch_outputs(struct supervisor *supervisor)
{
    if (supervisor->outputs_watched)
        return;
    supervisor->outputs_watched = true;
    for (unsigned stream = 0; stream < 2; stream++)
        if (supervisor->outputs[stream] >= 0)
            watch(supervisor, supervisor->outputs[stream], SOURCE_STDOUT + stream, EPOLLIN);
}

/* Taken out altogether: a hang-up is reported for as long as an fd is watched. */
void pause_outputs(struct supervisor *supervisor)
{
    if (!supervisor->outputs_watched)
        return;
    supervisor->outputs_watched = false;
    for (unsigned stream = 0; stream < 2; stream++)
        if (supervisor->outputs[stream] >= 0)
            sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, supervisor->outputs[stream], NULL);
}

bool read_output(struct supervisor *supervisor, unsigned stream)
{
    int fd = supervisor->outputs[stream];
    if (fd < 0)
        return false;
    uint8_t *data = supervisor->frame + FRAME_HEADER;
    long length = sys_read(fd, data, CHUNK_SIZE);
    if (length == -EAGAIN || length == -EINTR)
        return false;
    if (length <= 0) {
        /* Closed by all, or EIO: the terminal was hung up. */
        if (supervisor->outputs_watched)
            sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, fd, NULL);
        sys_close(fd);
        supervisor->outputs[stream] = -1;
        return false;
    }
    log_output(&supervisor->log, stream, data, (size_t)length);
    set_header(supervisor->frame, stream == 0 ? FX_FRAME_STDOUT : FX_FRAME_STDERR,
               (uint32_t)length);
    publish(supervisor, stream == 0 ? FX_ATTACH_STDOUT : FX_ATTACH_STDERR);
    if (clients_pending(supervisor))
        pause_outputs(supervisor);
    return true;
}
