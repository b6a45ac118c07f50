/* An idle supervisor keeps only a few pages: there is one for every container. */
#include "supervisor.h"

/*
 * The smallest page of both architectures; where pages are larger the calls fail and nothing is
 * lost.
 */
#define PAGE_SIZE 4096

/* The whole pages inside a buffer. */
static void forget_inside(void *buffer, size_t length)
{
    uintptr_t first = ((uintptr_t)buffer + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1);
    uintptr_t end = ((uintptr_t)buffer + length) & ~(uintptr_t)(PAGE_SIZE - 1);
    if (end > first)
        sys_forget((void *)first, end - first);
}

void forget_program(struct supervisor *supervisor)
{
    const uint8_t *program = supervisor->program.at;
    uintptr_t first = ((uintptr_t)program + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1);
    uintptr_t end = (uintptr_t)supervisor->bytes + supervisor->bytes_length;
    if (end > first)
        sys_munmap((const void *)first, end - first);
    supervisor->program = (struct fx_reader){ NULL, NULL };
}

void forget_buffers(struct supervisor *supervisor)
{
    supervisor->swollen = false;
    forget_inside(supervisor->log.bytes, sizeof supervisor->log.bytes);
    for (unsigned stream = 0; stream < 2; stream++)
        if (supervisor->log.lines[stream].length == 0)
            forget_inside(supervisor->log.lines[stream].bytes, LOG_LINE_LIMIT);
    if (!clients_pending(supervisor))
        forget_inside(supervisor->frame + FRAME_HEADER, CHUNK_SIZE);
    if (supervisor->input_length == 0)
        forget_inside(supervisor->input_bytes, CHUNK_SIZE);
}
