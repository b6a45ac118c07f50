/*
 * Packed records between JavaScript and C. No length is trusted: the other side is ours, but a mistake there must
 * not damage memory here.
 */
#include "addon.h"

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)(value >> 16);
    at[3] = (uint8_t)(value >> 24);
}

bool read_bytes(struct reader *reader, uint32_t length, const uint8_t **bytes)
{
    if ((size_t)(reader->end - reader->at) < length)
        return false;
    *bytes = reader->at;
    reader->at += length;
    return true;
}

bool read_u32(struct reader *reader, uint32_t *value)
{
    const uint8_t *bytes;
    if (!read_bytes(reader, 4, &bytes))
        return false;
    *value = get_u32(bytes);
    return true;
}

bool read_i64(struct reader *reader, int64_t *value)
{
    uint32_t low, high;
    if (!read_u32(reader, &low) || !read_u32(reader, &high))
        return false;
    *value = (int64_t)((uint64_t)high << 32 | low);
    return true;
}

bool read_value(struct reader *reader, const uint8_t **bytes, uint32_t *length)
{
    const uint8_t *nul;
    return read_u32(reader, length) && read_bytes(reader, *length, bytes) && read_bytes(reader, 1, &nul) &&
           *nul == 0;
}

bool read_text(struct reader *reader, const char **text)
{
    const uint8_t *bytes;
    uint32_t length;
    if (!read_value(reader, &bytes, &length))
        return false;
    *text = (const char *)bytes;
    return memchr(bytes, 0, length) == NULL;
}

bool write_u32(struct writer *writer, uint32_t value)
{
    if (writer->end - writer->at < 4)
        return false;
    put_u32(writer->at, value);
    writer->at += 4;
    return true;
}

bool write_i64(struct writer *writer, int64_t value)
{
    if (writer->end - writer->at < 8)
        return false;
    put_u32(writer->at, (uint32_t)(uint64_t)value);
    put_u32(writer->at + 4, (uint32_t)((uint64_t)value >> 32));
    writer->at += 8;
    return true;
}

bool write_value(struct writer *writer, const void *bytes, size_t length)
{
    if (length > UINT32_MAX || (size_t)(writer->end - writer->at) < length + 5)
        return false;
    put_u32(writer->at, (uint32_t)length);
    if (length > 0)
        memcpy(writer->at + 4, bytes, length);
    writer->at[4 + length] = 0;
    writer->at += length + 5;
    return true;
}
