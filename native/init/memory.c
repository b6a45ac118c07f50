/* An idle supervisor keeps only a few pages: there is one for every container. */
#include "child.h"
#include "supervisor.h"

/*
 * The smallest page of both architectures; where pages are larger the calls fail and nothing is
 * lost.
 */
#define PAGE_SIZE 4096

/* More stack than any event takes. */
#define STACK_DEPTH 65536

/* What is in use below a frame: twice the red zone of the x86-64 psABI. */
#define STACK_IN_USE 256

/* Defined by sections.ld. */
extern const uint8_t fx_setup_start[], fx_setup_end[];

static uintptr_t page_of(const void *at)
{
    return (uintptr_t)at & ~(uintptr_t)(PAGE_SIZE - 1);
}

/* The whole pages inside a buffer. */
static void forget_inside(const uint8_t *buffer, size_t length)
{
    uintptr_t first = page_of(buffer + PAGE_SIZE - 1);
    sys_forget((const void *)first, page_of(buffer + length) - first);
}

void forget_setup_code(void)
{
    sys_munmap(fx_setup_start, (size_t)(fx_setup_end - fx_setup_start));
}

/* The head of the specification is needed to the end: it moves, and the rest goes. */
static void forget_specification(struct supervisor *supervisor)
{
    size_t length = (size_t)(supervisor->program.at - supervisor->bytes);
    struct fx_reader head = { supervisor->head + FX_START_OFFSET, supervisor->head + length };
    if (length > sizeof supervisor->head)
        return;
    memcpy(supervisor->head, supervisor->bytes, length);
    read_fx_start(&head, &supervisor->start);
    supervisor->log.path = supervisor->start.log_path.bytes;
    sys_munmap(supervisor->bytes, supervisor->bytes_length);
}

void forget_setup(struct supervisor *supervisor)
{
    if (supervisor->bytes == NULL)
        return;
    forget_setup_code();
    forget_specification(supervisor);
    supervisor->program = (struct fx_reader){ NULL, NULL };
    supervisor->bytes = NULL;
}

/* What earlier events left below the present end of the stack. */
static void forget_stack(void)
{
    uintptr_t end = page_of((const uint8_t *)__builtin_frame_address(0) - STACK_IN_USE);
    sys_forget((const void *)(end - STACK_DEPTH), STACK_DEPTH);
}

void forget_buffers(struct supervisor *supervisor)
{
    struct log_room *room = &supervisor->log_room;
    forget_inside((const uint8_t *)room->pending, sizeof room->pending);
    for (unsigned stream = 0; stream < 2; stream++)
        if (supervisor->log.lines[stream].length == 0)
            forget_inside(room->lines[stream], LOG_LINE_LIMIT);
    if (!clients_pending(supervisor))
        forget_inside(supervisor->frame, (size_t)(supervisor->input_bytes - supervisor->frame));
    if (supervisor->input_length == 0)
        forget_inside(supervisor->input_bytes, CHUNK_SIZE);
    forget_stack();
}
