/*
 * From the clients to the container's stdin: one buffer, so that what is not taken holds the
 * clients back.
 */
#include "supervisor.h"

static bool is_terminal(const struct supervisor *supervisor)
{
    return supervisor->start.terminal != 0;
}

void close_input(struct supervisor *supervisor)
{
    /*
     * Taken out by hand: a terminal's master stays open under another number, and so would the
     * watch.
     */
    if (supervisor->input_watched)
        sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, supervisor->input, NULL);
    if (supervisor->input >= 0)
        sys_close(supervisor->input);
    supervisor->input = -1;
    supervisor->input_watched = false;
    supervisor->input_length = 0;
}

long receive_input(struct supervisor *supervisor, int client, uint32_t limit)
{
    bool discards = supervisor->input < 0 && !supervisor->input_expected;
    if (!discards && (supervisor->input_length > 0 || supervisor->input < 0))
        return -EBUSY;
    long received = sys_recv(client, supervisor->input_bytes,
                             limit < CHUNK_SIZE ? limit : CHUNK_SIZE, MSG_DONTWAIT);
    if (received <= 0 || discards)
        return received;
    supervisor->input_length = (uint32_t)received;
    supervisor->input_sent = 0;
    flush_input(supervisor);
    return received;
}

void flush_input(struct supervisor *supervisor)
{
    while (supervisor->input_sent < supervisor->input_length) {
        long written =
            sys_write(supervisor->input, supervisor->input_bytes + supervisor->input_sent,
                      supervisor->input_length - supervisor->input_sent);
        if (written == -EAGAIN) {
            if (!supervisor->input_watched)
                watch(supervisor, supervisor->input, SOURCE_INPUT, EPOLLOUT);
            supervisor->input_watched = true;
            return;
        }
        if (written < 0) {
            close_input(supervisor);
            break;
        }
        supervisor->input_sent += (uint32_t)written;
    }
    if (supervisor->input_watched)
        sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, supervisor->input, NULL);
    supervisor->input_watched = false;
    supervisor->input_length = 0;
    if (supervisor->input_ends)
        close_input(supervisor);
    resume_clients(supervisor);
}

void end_input(struct supervisor *supervisor)
{
    if (is_terminal(supervisor))
        return;
    if (supervisor->input_length > 0)
        supervisor->input_ends = true;
    else
        close_input(supervisor);
}

void resize_terminal(struct supervisor *supervisor, uint32_t rows, uint32_t columns)
{
    struct winsize size = { .ws_row = (uint16_t)rows, .ws_col = (uint16_t)columns };
    /* Before the terminal has come, the size it will get. */
    supervisor->start.rows = rows;
    supervisor->start.columns = columns;
    if (is_terminal(supervisor) && supervisor->outputs[0] >= 0)
        sys_ioctl(supervisor->outputs[0], TIOCSWINSZ, &size);
}
