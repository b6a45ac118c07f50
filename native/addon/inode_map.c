/* Inodes with several names, and the one each was met under first. Open addressing, at most three quarters full. */
#include "addon.h"

struct inode_slot {
    uint64_t device, inode;
    char *name;
};

static struct inode_slot *find(struct inode_slot *slots, size_t capacity, uint64_t device, uint64_t inode)
{
    size_t at = (size_t)((inode * UINT64_C(0x9E3779B97F4A7C15)) >> 20 ^ device) & (capacity - 1);
    while (slots[at].name != NULL && (slots[at].inode != inode || slots[at].device != device))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow(struct inode_map *map)
{
    size_t capacity = map->capacity == 0 ? 64 : map->capacity * 2;
    struct inode_slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t at = 0; at < map->capacity; at++) {
        struct inode_slot *old = &map->slots[at];
        if (old->name != NULL)
            *find(slots, capacity, old->device, old->inode) = *old;
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return true;
}

const char *inode_name(const struct inode_map *map, uint64_t device, uint64_t inode)
{
    return map->capacity == 0 ? NULL : find(map->slots, map->capacity, device, inode)->name;
}

bool inode_remember(struct inode_map *map, uint64_t device, uint64_t inode, const char *name)
{
    if (map->count * 4 >= map->capacity * 3 && !grow(map))
        return false;
    struct inode_slot *slot = find(map->slots, map->capacity, device, inode);
    if (slot->name != NULL)
        return true;
    slot->name = strdup(name);
    if (slot->name == NULL)
        return false;
    slot->device = device;
    slot->inode = inode;
    map->count++;
    return true;
}

void inode_map_free(struct inode_map *map)
{
    for (size_t at = 0; at < map->capacity; at++)
        free(map->slots[at].name);
    free(map->slots);
    *map = (struct inode_map){0};
}
