/* The loop of the supervisor. */
#include "supervisor.h"

#define EVENT_COUNT 16

/* After so long without an event memory is given back. */
#define QUIET_MS 1000

int watch(struct supervisor *supervisor, int fd, uint64_t source, uint32_t events)
{
    struct epoll_event event = { events, source };
    return sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_ADD, fd, &event);
}

int64_t monotonic_ms(void)
{
    struct __kernel_timespec clock;
    sys_clock(CLOCK_MONOTONIC, &clock);
    return clock.tv_sec * 1000 + clock.tv_nsec / 1000000;
}

uint64_t epoch_ns(void)
{
    struct __kernel_timespec clock;
    sys_clock(CLOCK_REALTIME, &clock);
    return (uint64_t)clock.tv_sec * 1000000000u + (uint64_t)clock.tv_nsec;
}

static void dispatch(struct supervisor *supervisor, uint64_t data, uint32_t events)
{
    uint32_t source = (uint32_t)data;
    switch (source) {
    case SOURCE_LISTENER:
        on_listener(supervisor);
        return;
    case SOURCE_INIT:
        on_init_exit(supervisor);
        return;
    case SOURCE_REPORT:
        on_report(supervisor);
        return;
    case SOURCE_STDOUT:
    case SOURCE_STDERR:
        /* An earlier event of this round may have left a frame that not all have taken. */
        if (supervisor->outputs_watched)
            read_output(supervisor, source - SOURCE_STDOUT);
        return;
    case SOURCE_INPUT:
        if (supervisor->input_watched)
            flush_input(supervisor);
        return;
    }
    struct client *client = &supervisor->clients[source - SOURCE_CLIENT];
    /* The place may have been given to another since this event was made. */
    if (client->fd >= 0 && client->generation == data >> 32)
        on_client(supervisor, client, events);
}

/* Goes on with what waited for the clients; true when all is done. */
static bool advance(struct supervisor *supervisor)
{
    while (!clients_pending(supervisor)) {
        switch (supervisor->phase) {
        case PHASE_STARTING:
            return false;
        case PHASE_RUNNING:
            watch_outputs(supervisor);
            return false;
        case PHASE_DRAINING:
            if (!read_output(supervisor, 0) && !read_output(supervisor, 1))
                finish(supervisor);
            break;
        case PHASE_FLUSHING:
            return true;
        }
    }
    return false;
}

/*
 * Not at once: a page that is given back costs a short-lived container more than it saves, some
 * tenths of a millisecond where processors must be told (a virtual machine).
 */
static void give_back(struct supervisor *supervisor)
{
    if (!supervisor->awake)
        forget_buffers(supervisor);
    if (supervisor->bytes != NULL &&
        (!supervisor->awake ||
         epoch_ns() - supervisor->status.started_at > QUIET_MS * 1000000ull))
        forget_setup(supervisor);
}

void serve_events(struct supervisor *supervisor)
{
    struct epoll_event events[EVENT_COUNT];
    while (!advance(supervisor)) {
        int timeout = supervisor->phase >= PHASE_DRAINING ? drop_stalled(supervisor)
                      : supervisor->awake                 ? QUIET_MS
                                                          : -1;
        if (timeout < 0 && supervisor->phase >= PHASE_DRAINING)
            continue;
        int count = sys_epoll_wait(supervisor->epoll, events, EVENT_COUNT, timeout);
        supervisor->awake = count != 0;
        if (supervisor->phase == PHASE_RUNNING)
            give_back(supervisor);
        for (int at = 0; at < count; at++)
            dispatch(supervisor, events[at].data, events[at].events);
    }
    /* Who has hung up by now no longer counts as attached. */
    int count = sys_epoll_wait(supervisor->epoll, events, EVENT_COUNT, 0);
    for (int at = 0; at < count; at++)
        if (events[at].events & (EPOLLHUP | EPOLLERR))
            dispatch(supervisor, events[at].data, events[at].events);
}
