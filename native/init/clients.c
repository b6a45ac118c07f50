/*
 * The clients: up to sixteen sockets that get frames and send them. All share one frame on its way
 * out; the slowest decides when there is a next one.
 */
#include "clients.h"

/* Frames taken from one client before others get their turn. */
#define ROUNDS 16

/*
 * Interest of a client that has gone but whose input is still wanted: not watched, for it would
 * only be told again.
 */
#define UNWATCHED (1u << 31)

void set_u32(uint8_t *at, uint32_t value)
{
    for (unsigned byte = 0; byte < 4; byte++)
        at[byte] = (uint8_t)(value >> 8 * byte);
}

void set_header(uint8_t *header, uint8_t type, uint32_t length)
{
    memset(header, 0, FRAME_HEADER);
    header[0] = type;
    for (unsigned byte = 0; byte < 4; byte++)
        header[7 - byte] = (uint8_t)(length >> 8 * byte);
}

uint32_t header_length(const uint8_t *header)
{
    return (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 |
           header[7];
}

void stop_input(struct supervisor *supervisor, const struct client *client)
{
    if (supervisor->start.stdin == FX_STDIN_ONCE && client->flags & FX_ATTACH_STDIN)
        end_input(supervisor);
}

static void drop(struct supervisor *supervisor, struct client *client)
{
    sys_close(client->fd);
    client->fd = -1;
    stop_input(supervisor, client);
}

static uint64_t source_of(const struct supervisor *supervisor, const struct client *client)
{
    return (uint64_t)client->generation << 32 |
           (SOURCE_CLIENT + (uint64_t)(client - supervisor->clients));
}

static bool is_pending(const struct supervisor *supervisor, const struct client *client)
{
    return client->greeting_sent < client->greeting_length ||
           client->sent < supervisor->frame_length;
}

static void update_interest(struct supervisor *supervisor, struct client *client)
{
    uint32_t wanted = (client->half_closed || client->waits_for_input ? 0 : (uint32_t)EPOLLIN) |
                      (is_pending(supervisor, client) ? (uint32_t)EPOLLOUT : 0);
    if (wanted == client->interest)
        return;
    if (client->interest == UNWATCHED)
        return;
    client->interest = wanted;
    struct epoll_event event = { wanted, source_of(supervisor, client) };
    sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* Sends as much as the socket takes; false when the client has gone and was dropped. */
static bool send_pending(struct supervisor *supervisor, struct client *client)
{
    while (is_pending(supervisor, client)) {
        bool greets = client->greeting_sent < client->greeting_length;
        const uint8_t *from =
            greets ? client->greeting + client->greeting_sent : supervisor->frame + client->sent;
        size_t length = greets ? (size_t)(client->greeting_length - client->greeting_sent)
                               : supervisor->frame_length - client->sent;
        long sent = sys_send(client->fd, from, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent == -EAGAIN)
            break;
        if (sent < 0) {
            drop(supervisor, client);
            return false;
        }
        if (greets)
            client->greeting_sent += (uint8_t)sent;
        else
            client->sent += (uint32_t)sent;
        /* The clock is only looked at once somebody may be waited for. */
        if (supervisor->phase >= PHASE_DRAINING)
            client->progress = monotonic_ms();
    }
    update_interest(supervisor, client);
    return true;
}

void publish(struct supervisor *supervisor, uint32_t flags)
{
    supervisor->frame_length = FRAME_HEADER + header_length(supervisor->frame);
    for (struct client *client = supervisor->clients; client < supervisor->clients + CLIENT_COUNT;
         client++) {
        if (client->fd < 0)
            continue;
        uint32_t wants = client->flags | (client->attached ? TO_ATTACHED : 0);
        client->sent = flags == TO_ALL || wants & flags ? 0 : supervisor->frame_length;
        if (client->sent == 0)
            send_pending(supervisor, client);
    }
}

bool clients_pending(struct supervisor *supervisor)
{
    for (struct client *client = supervisor->clients; client < supervisor->clients + CLIENT_COUNT;
         client++)
        if (client->fd >= 0 && is_pending(supervisor, client))
            return true;
    return false;
}

int drop_stalled(struct supervisor *supervisor)
{
    int64_t now = monotonic_ms(), next = -1;
    for (struct client *client = supervisor->clients; client < supervisor->clients + CLIENT_COUNT;
         client++) {
        if (client->fd < 0 || !is_pending(supervisor, client))
            continue;
        int64_t left = client->progress + STALL_MS - now;
        if (left <= 0)
            drop(supervisor, client);
        else if (next < 0 || left < next)
            next = left;
    }
    return (int)next;
}

void resume_clients(struct supervisor *supervisor)
{
    for (struct client *client = supervisor->clients; client < supervisor->clients + CLIENT_COUNT;
         client++) {
        if (client->fd < 0 || !client->waits_for_input)
            continue;
        client->waits_for_input = false;
        if (client->interest == UNWATCHED) {
            client->interest = EPOLLIN;
            watch(supervisor, client->fd, source_of(supervisor, client), EPOLLIN);
        }
        update_interest(supervisor, client);
    }
}

void greet(struct supervisor *supervisor, struct client *client)
{
    if (supervisor->status.started_at == 0)
        return;
    set_header(client->greeting, FX_FRAME_STARTED, 12);
    set_u32(client->greeting + FRAME_HEADER, supervisor->status.init_pid);
    set_u32(client->greeting + FRAME_HEADER + 4, (uint32_t)supervisor->status.init_start);
    set_u32(client->greeting + FRAME_HEADER + 8, (uint32_t)(supervisor->status.init_start >> 32));
    client->greeting_length = sizeof client->greeting;
}

void adopt_client(struct supervisor *supervisor, int fd, bool attached, uint32_t flags)
{
    struct client *client = supervisor->clients;
    while (client < supervisor->clients + CLIENT_COUNT && client->fd >= 0)
        client++;
    if (client == supervisor->clients + CLIENT_COUNT) {
        sys_close(fd);
        return;
    }
    uint32_t generation = client->generation + 1;
    memset(client, 0, sizeof *client);
    client->fd = fd;
    client->generation = generation;
    client->attached = attached;
    client->flags = (uint8_t)flags;
    client->sent = supervisor->frame_length;
    client->interest = EPOLLIN;
    watch(supervisor, fd, source_of(supervisor, client), EPOLLIN);
    if (attached)
        greet(supervisor, client);
    send_pending(supervisor, client);
}

void on_listener(struct supervisor *supervisor)
{
    int fd = sys_accept4(supervisor->listener, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct kernel_ucred peer;
    int length = sizeof peer;
    bool known = sys_getsockopt(fd, SO_PEERCRED, &peer, &length) == 0;
    if (known && (peer.uid == 0 || peer.uid == sys_geteuid()))
        adopt_client(supervisor, fd, false, 0);
    else
        sys_close(fd);
}

void on_client(struct supervisor *supervisor, struct client *client, uint32_t events)
{
    if (events & EPOLLIN && !client->waits_for_input) {
        int more = 1;
        for (int round = 0; more > 0 && round < ROUNDS; round++)
            more = receive_piece(supervisor, client);
        if (more < 0) {
            drop(supervisor, client);
            return;
        }
    }
    /* A hang-up ends it only once what it sent has been read. */
    bool gone =
        events & EPOLLERR || (events & EPOLLHUP && (client->half_closed || !(events & EPOLLIN)));
    if (!gone) {
        send_pending(supervisor, client);
    } else if (client->waits_for_input) {
        /* It left its input behind and hears nothing more. */
        sys_epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, client->fd, NULL);
        client->interest = UNWATCHED;
        client->flags &= FX_ATTACH_STDIN;
        client->sent = supervisor->frame_length;
        client->greeting_sent = client->greeting_length;
    } else {
        drop(supervisor, client);
    }
}
