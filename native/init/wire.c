/* The readers of wire.h. */
#include "wire.h"

bool fx_read_u32(struct fx_reader *reader, uint32_t *into)
{
    const uint8_t *at = reader->at;
    if (reader->end - at < 4)
        return false;
    *into = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    reader->at = at + 4;
    return true;
}

bool fx_read_u64(struct fx_reader *reader, uint64_t *into)
{
    uint32_t low, high;
    if (!fx_read_u32(reader, &low) || !fx_read_u32(reader, &high))
        return false;
    *into = (uint64_t)high << 32 | low;
    return true;
}

bool fx_read_bytes(struct fx_reader *reader, struct fx_bytes *into)
{
    uint32_t length;
    if (!fx_read_u32(reader, &length))
        return false;
    uint64_t padded = ((uint64_t)length + 4) & ~(uint64_t)3;
    if ((uint64_t)(reader->end - reader->at) < padded || reader->at[length] != 0)
        return false;
    into->bytes = reader->at;
    into->length = length;
    reader->at += padded;
    return true;
}

bool fx_read_text(struct fx_reader *reader, struct fx_text *into)
{
    struct fx_bytes raw;
    if (!fx_read_bytes(reader, &raw))
        return false;
    for (uint32_t at = 0; at < raw.length; at++)
        if (raw.bytes[at] == 0)
            return false;
    into->bytes = (const char *)raw.bytes;
    into->length = raw.length;
    return true;
}

bool fx_read_option(struct fx_reader *reader, struct fx_option *into)
{
    uint32_t has_value;
    if (!fx_read_text(reader, &into->key) || !fx_read_u32(reader, &has_value) || has_value > 1)
        return false;
    if (has_value)
        return fx_read_text(reader, &into->value);
    into->value = (struct fx_text){ NULL, 0 };
    return true;
}

/* A list is walked once when read, so that later walks need no checks. */
#define FX_READ_LIST(name, item_type, read_item)                                                   \
    bool name(struct fx_reader *reader, struct fx_list *into)                                      \
    {                                                                                              \
        if (!fx_read_u32(reader, &into->count))                                                    \
            return false;                                                                          \
        into->items = *reader;                                                                     \
        for (uint32_t item = 0; item < into->count; item++) {                                      \
            item_type ignored;                                                                     \
            if (!read_item(reader, &ignored))                                                      \
                return false;                                                                      \
        }                                                                                          \
        into->items.end = reader->at;                                                              \
        return true;                                                                               \
    }

FX_READ_LIST(fx_read_texts, struct fx_text, fx_read_text)
FX_READ_LIST(fx_read_words, uint32_t, fx_read_u32)
FX_READ_LIST(fx_read_options, struct fx_option, fx_read_option)

bool fx_read_op(struct fx_reader *reader, struct fx_op *into)
{
    uint32_t length;
    if (!fx_read_u32(reader, &into->opcode) || !fx_read_u32(reader, &length))
        return false;
    if ((uint64_t)(reader->end - reader->at) < length || length % 4 != 0)
        return false;
    into->fields = (struct fx_reader){ reader->at, reader->at + length };
    reader->at += length;
    return true;
}
