/*
 * What the two halves of the client code share: clients.c keeps and serves them, received.c listens
 * to them.
 */
#ifndef FX_CLIENTS_H
#define FX_CLIENTS_H

#include "supervisor.h"

/*
 * Receives the next piece: 1 to go on, 0 when there is no more now, −1 when the client is to be
 * dropped.
 */
int receive_piece(struct supervisor *supervisor, struct client *client);

/* The length of the payload, as a frame's header has it. */
uint32_t header_length(const uint8_t *header);

/* The client sends no more: with `once` that ends the container's input. */
void stop_input(struct supervisor *supervisor, const struct client *client);

/* Who comes later learns that the container runs, and by that, that its attachment holds. */
void greet(struct supervisor *supervisor, struct client *client);

#endif
