/* The functions of search.h. */
#include "search.h"

bool next_candidate(const char **directories, const char *name, char *candidate, size_t capacity)
{
    while (**directories) {
        const char *start = *directories, *end = start;
        while (*end && *end != ':')
            end++;
        *directories = *end ? end + 1 : end;
        if (*start != '/')
            continue;
        struct buffer text = { candidate, 0, capacity, false };
        put_bytes(&text, start, (size_t)(end - start));
        if (end[-1] != '/')
            put_byte(&text, '/');
        put_text(&text, name);
        put_end(&text);
        if (!text.full)
            return true;
    }
    return false;
}
