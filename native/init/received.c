/*
 * What clients send: frames are put together piece by piece, input goes straight on to the
 * container.
 */
#include "clients.h"

/* The frames that a client may send, each with its one length; the first must be `attach`. */
static bool is_allowed(const struct client *client)
{
    switch (client->header[0]) {
    case FX_FRAME_ATTACH:
        return client->remaining == 1;
    case FX_FRAME_STDIN:
        return client->attached && client->remaining <= FX_FRAME_PAYLOAD_LIMIT;
    case FX_FRAME_STDIN_END:
        return client->attached && client->remaining == 0;
    case FX_FRAME_RESIZE:
        return client->attached && client->remaining == 4;
    }
    return false;
}

/* A frame but for `stdin` has come whole. */
static void on_frame(struct supervisor *supervisor, struct client *client)
{
    const uint8_t *payload = client->payload;
    switch (client->header[0]) {
    case FX_FRAME_ATTACH:
        if (!client->attached)
            greet(supervisor, client);
        client->attached = true;
        client->flags = payload[0];
        break;
    case FX_FRAME_STDIN_END:
        if (client->flags & FX_ATTACH_STDIN)
            end_input(supervisor);
        break;
    case FX_FRAME_RESIZE:
        resize_terminal(supervisor, payload[0] | (uint32_t)payload[1] << 8,
                        payload[2] | (uint32_t)payload[3] << 8);
    }
}

/* Input of a client that did not ask for stdin is read and thrown away. */
static long receive_payload(struct supervisor *supervisor, struct client *client)
{
    if (client->header[0] != FX_FRAME_STDIN) {
        long received = sys_recv(client->fd, client->payload + client->payload_length,
                                 client->remaining, MSG_DONTWAIT);
        if (received > 0)
            client->payload_length += (uint8_t)received;
        return received;
    }
    if (client->flags & FX_ATTACH_STDIN)
        return receive_input(supervisor, client->fd, client->remaining);
    uint8_t ignored[512];
    return sys_recv(client->fd, ignored,
                    client->remaining < sizeof ignored ? client->remaining : sizeof ignored,
                    MSG_DONTWAIT);
}

int receive_piece(struct supervisor *supervisor, struct client *client)
{
    long received;
    if (client->header_length < FRAME_HEADER) {
        received = sys_recv(client->fd, client->header + client->header_length,
                            (size_t)(FRAME_HEADER - client->header_length), MSG_DONTWAIT);
        if (received > 0) {
            client->header_length += (uint8_t)received;
            if (client->header_length < FRAME_HEADER)
                return 1;
            client->remaining = header_length(client->header);
            client->payload_length = 0;
            if (!is_allowed(client))
                return -1;
        }
    } else {
        received = receive_payload(supervisor, client);
        if (received > 0)
            client->remaining -= (uint32_t)received;
    }
    if (received == -EBUSY)
        client->waits_for_input = true;
    if (received == -EBUSY || received == -EAGAIN)
        return 0;
    if (received < 0)
        return -1;
    if (received == 0) {
        client->half_closed = true;
        stop_input(supervisor, client);
        return 0;
    }
    if (client->remaining == 0 && client->header_length == FRAME_HEADER) {
        client->header_length = 0;
        on_frame(supervisor, client);
    }
    return 1;
}
