/* Reads one field of /proc/PID/stat. */
#include "processstat.h"
#include "syscall.h"
#include "text.h"

uint64_t process_stat(uint32_t pid, unsigned number)
{
    char path[32], text[512];
    struct buffer name = { path, 0, sizeof path, false };
    put_text(&name, "/proc/");
    put_number(&name, pid);
    put_text(&name, "/stat");
    put_end(&name);
    CLOSED int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    long length = fd < 0 ? fd : sys_read(fd, text, sizeof text - 1);
    if (length <= 0)
        return 0;
    text[length] = 0;
    return stat_field(text, number);
}
