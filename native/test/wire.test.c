/*
 * The readers on bytes that nobody made with care: no read outside, and what they give is within
 * the bytes.
 */
#include "../ops.h"
#include "expect.h"

/* Writes as src/domain/kernel/wire.ts does. */
struct writer {
    uint8_t bytes[65536];
    size_t length;
};

static void write_u32(struct writer *writer, uint32_t value)
{
    for (unsigned byte = 0; byte < 4; byte++)
        writer->bytes[writer->length++] = (uint8_t)(value >> 8 * byte);
}

static void write_text(struct writer *writer, const char *text)
{
    size_t length = strlen(text), padded = (length + 4) & ~(size_t)3;
    write_u32(writer, (uint32_t)length);
    memset(writer->bytes + writer->length, 0, padded);
    memcpy(writer->bytes + writer->length, text, length);
    writer->length += padded;
}

/* A copy of exactly the size, so that one byte beyond is noticed. */
static struct fx_reader exact(const uint8_t *bytes, size_t length, uint8_t **owned)
{
    *owned = malloc(length == 0 ? 1 : length);
    memcpy(*owned, bytes, length);
    return (struct fx_reader){ *owned, *owned + length };
}

static void reads_what_was_written(void)
{
    struct writer writer = { .length = 0 };
    write_text(&writer, "");
    write_text(&writer, "abc");
    write_text(&writer, "abcd");
    write_u32(&writer, 2);
    write_text(&writer, "size");
    write_u32(&writer, 1);
    write_text(&writer, "64k");
    write_text(&writer, "ro");
    write_u32(&writer, 0);
    write_u32(&writer, 0x89abcdef);
    write_u32(&writer, 0x01234567);
    uint8_t *owned;
    struct fx_reader reader = exact(writer.bytes, writer.length, &owned);
    struct fx_text text;
    struct fx_list list;
    struct fx_option option;
    uint64_t number;
    EXPECT(fx_read_text(&reader, &text) && text.length == 0 && text.bytes[0] == 0);
    EXPECT(fx_read_text(&reader, &text) && strcmp(text.bytes, "abc") == 0);
    EXPECT(fx_read_text(&reader, &text) && strcmp(text.bytes, "abcd") == 0 && text.length == 4);
    EXPECT(fx_read_options(&reader, &list) && list.count == 2);
    EXPECT(fx_read_option(&list.items, &option) && strcmp(option.value.bytes, "64k") == 0);
    EXPECT(fx_read_option(&list.items, &option) && strcmp(option.key.bytes, "ro") == 0 &&
           option.value.bytes == NULL);
    EXPECT(!fx_read_option(&list.items, &option));
    EXPECT(fx_read_u64(&reader, &number) && number == 0x0123456789abcdefu);
    EXPECT(reader.at == reader.end && !fx_read_u32(&reader, &list.count));
    free(owned);
}

static void refuses_texts_that_lie(void)
{
    static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 'a', 0, 0, 0 };
    static const uint8_t inner[] = { 3, 0, 0, 0, 'a', 0, 'b', 0 };
    static const uint8_t open_end[] = { 3, 0, 0, 0, 'a', 'b', 'c', 'd' };
    static const uint8_t missing[] = { 4, 0, 0, 0, 'a', 'b', 'c', 'd' };
    const struct {
        const uint8_t *bytes;
        size_t length;
    } cases[] = { { huge, sizeof huge },
                  { inner, sizeof inner },
                  { open_end, sizeof open_end },
                  { missing, sizeof missing } };
    for (size_t at = 0; at < 4; at++) {
        uint8_t *owned;
        struct fx_text text;
        struct fx_reader reader = exact(cases[at].bytes, cases[at].length, &owned);
        EXPECT(!fx_read_text(&reader, &text));
        free(owned);
    }
}

/* Walks a list to its end; the items were promised to be readable. */
static void walk(struct fx_list list, bool options)
{
    for (uint32_t item = 0; item < list.count; item++) {
        struct fx_option option;
        struct fx_text text;
        EXPECT(options ? fx_read_option(&list.items, &option) : fx_read_text(&list.items, &text));
    }
    EXPECT(list.items.at == list.items.end);
}

#define READ(code, name)                                                                           \
    case code: {                                                                                   \
        struct fx_##name fields;                                                                   \
        (void)read_fx_##name(&reader, &fields);                                                    \
        break;                                                                                     \
    }

static void survives(const uint8_t *bytes, size_t length)
{
    uint8_t *owned;
    struct fx_reader whole = exact(bytes, length, &owned), reader = whole;
    struct fx_start start;
    if (read_fx_start(&reader, &start)) {
        walk(start.kill_files, false);
        walk(start.on_exit, false);
    }
    for (uint32_t opcode = 0; opcode <= FX_OP_EXEC; opcode++) {
        reader = whole;
        switch (opcode) {
            FX_EACH_OP(READ)
        }
    }
    reader = whole;
    struct fx_mount_filesystem mount;
    if (read_fx_mount_filesystem(&reader, &mount))
        walk(mount.options, true);
    reader = whole;
    struct fx_op op;
    while (fx_read_op(&reader, &op))
        EXPECT(op.fields.end >= op.fields.at && op.fields.end <= whole.end);
    free(owned);
}

/* Small words are plausible lengths and counts, so that reading goes on beyond the first field. */
static void survives_random_bytes(void)
{
    static uint8_t bytes[512];
    for (unsigned round = 0; round < 20000; round++) {
        size_t length = random_below(sizeof bytes);
        for (size_t at = 0; at < length; at++)
            bytes[at] = random_below(3) ? (uint8_t)(at % 4 == 0 ? random_below(6) : 0)
                                        : (uint8_t)random_number();
        survives(bytes, length);
    }
}

static void survives_every_cut_and_flip(void)
{
    struct writer writer = { .length = 0 };
    write_text(&writer, "tmpfs");
    write_text(&writer, "tmpfs");
    write_text(&writer, "/dev");
    write_u32(&writer, 1);
    write_u32(&writer, 1);
    write_text(&writer, "mode");
    write_u32(&writer, 1);
    write_text(&writer, "755");
    for (unsigned word = 0; word < 4; word++)
        write_u32(&writer, 0);
    for (size_t length = 0; length <= writer.length; length++)
        survives(writer.bytes, length);
    for (size_t bit = 0; bit < writer.length * 8; bit++) {
        writer.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        survives(writer.bytes, writer.length);
        writer.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

int main(void)
{
    reads_what_was_written();
    refuses_texts_that_lie();
    survives_random_bytes();
    survives_every_cut_and_flip();
    return conclude("wire");
}
