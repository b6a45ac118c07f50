/*
 * Reads the little-endian encoding described in src/domain/kernel/wireTable.ts. Every function
 * checks bounds: bytes that end early or hold something else give false, never a read outside.
 * Pure.
 */
#ifndef FX_WIRE_H
#define FX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fx_reader {
    const uint8_t *at;
    const uint8_t *end;
};

/* `bytes` ends with a NUL at `length` and holds none before it. */
struct fx_text {
    const char *bytes;
    uint32_t length;
};

/* Any content, aligned to 4 as the whole encoding is. */
struct fx_bytes {
    const uint8_t *bytes;
    uint32_t length;
};

/*
 * Items that were checked when the list was read: walking a copy of `items` cannot fail `count`
 * times.
 */
struct fx_list {
    uint32_t count;
    struct fx_reader items;
};

/* One option of a file system: a flag when `value.bytes` is NULL. */
struct fx_option {
    struct fx_text key;
    struct fx_text value;
};

/* One operation of the program; `fields` is what its reader gets. */
struct fx_op {
    uint32_t opcode;
    struct fx_reader fields;
};

bool fx_read_u32(struct fx_reader *reader, uint32_t *into);
bool fx_read_u64(struct fx_reader *reader, uint64_t *into);
bool fx_read_text(struct fx_reader *reader, struct fx_text *into);
bool fx_read_bytes(struct fx_reader *reader, struct fx_bytes *into);
bool fx_read_option(struct fx_reader *reader, struct fx_option *into);
bool fx_read_texts(struct fx_reader *reader, struct fx_list *into);
bool fx_read_words(struct fx_reader *reader, struct fx_list *into);
bool fx_read_options(struct fx_reader *reader, struct fx_list *into);
bool fx_read_op(struct fx_reader *reader, struct fx_op *into);

#endif
