/* What a layer has made so far, by inode. Open addressing, at most three quarters full. */
#include "layer.h"

static struct made_slot *probe(struct made_slot *slots, size_t capacity, uint64_t inode)
{
    size_t at = (size_t)(inode * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (capacity - 1);
    while (slots[at].inode != 0 && slots[at].inode != inode)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow(struct made *made)
{
    size_t capacity = made->capacity == 0 ? 256 : made->capacity * 2;
    struct made_slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t at = 0; at < made->capacity; at++)
        if (made->slots[at].inode != 0)
            *probe(slots, capacity, made->slots[at].inode) = made->slots[at];
    free(made->slots);
    made->slots = slots;
    made->capacity = capacity;
    return true;
}

struct made_slot *made_find(const struct made *made, uint64_t inode)
{
    if (made->capacity == 0)
        return NULL;
    struct made_slot *slot = probe(made->slots, made->capacity, inode);
    return slot->inode == 0 ? NULL : slot;
}

struct made_slot *made_know(struct made *made, uint64_t inode)
{
    struct made_slot *known = made_find(made, inode);
    if (known != NULL)
        return known;
    if (made->count * 4 >= made->capacity * 3 && !grow(made))
        return NULL;
    struct made_slot *slot = probe(made->slots, made->capacity, inode);
    *slot = (struct made_slot){.inode = inode};
    made->count++;
    return slot;
}

void made_free(struct made *made)
{
    free(made->slots);
    *made = (struct made){0};
}
