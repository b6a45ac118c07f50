/* Names of rotated logs. */
#include "log.h"

const char *log_rotated_name(char *into, size_t capacity, const char *path, uint32_t number)
{
    struct buffer text = { into, 0, capacity, false };
    put_text(&text, path);
    put_byte(&text, '.');
    put_number(&text, number);
    put_end(&text);
    return text.full ? NULL : into;
}
