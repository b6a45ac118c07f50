/* The functions of facts.h. */
#include "facts.h"

/* Numbers as in include/uapi/linux/capability.h. */
static const char *const capability_names[] = {
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
};

#define NAME_COUNT (sizeof capability_names / sizeof *capability_names)

/* More than any machine has: version 1 writes a page-aligned maximum for "no limit". */
#define NO_LIMIT (1ull << 62)

static const char *next_line(const char *line)
{
    const char *end = text_find(line, '\n');
    return end == NULL ? NULL : end + 1;
}

void put_status_value(struct buffer *text, const char *status, const char *key)
{
    for (const char *line = status; line != NULL && *line; line = next_line(line)) {
        const char *at = line + strlen(key);
        if (!text_starts(line, key) || *at != ':')
            continue;
        at++;
        while (*at == ' ' || *at == '\t')
            at++;
        const char *end = at;
        while (*end && *end != '\n')
            end++;
        while (end > at && end[-1] == ' ')
            end--;
        put_bytes(text, at, (size_t)(end - at));
        return;
    }
}

uint64_t read_hexadecimal(const char *text)
{
    uint64_t number = 0;
    for (;; text++) {
        if (*text >= '0' && *text <= '9')
            number = number << 4 | (uint64_t)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            number = number << 4 | (uint64_t)(*text - 'a' + 10);
        else
            return number;
    }
}

void put_capabilities(struct buffer *text, uint64_t set)
{
    unsigned count = 0;
    for (unsigned number = 0; number < 64; number++)
        count += set >> number & 1;
    put_number(text, count);
    for (unsigned number = 0; number < 64; number++) {
        if (!(set >> number & 1))
            continue;
        put_text(text, count != 0 ? ": " : " ");
        count = 0;
        if (number < NAME_COUNT)
            put_text(text, capability_names[number]);
        else
            put_number(text, number);
    }
}

/* Field `number` (from 1 on) of a line whose fields are separated by one space. */
static void put_field(struct buffer *text, const char *line, unsigned number)
{
    for (; number > 1 && *line && *line != '\n'; line++)
        if (*line == ' ')
            number--;
    while (number == 1 && *line && *line != '\n' && *line != ' ')
        put_byte(text, *line++);
}

static void put_mount(struct buffer *text, const char *line)
{
    /* mountinfo: id, parent, device, root, target, options, optional fields, "-", type, … */
    put_field(text, line, 5);
    for (const char *at = line; *at && *at != '\n'; at++) {
        if (text_starts(at, " - ")) {
            put_byte(text, ' ');
            put_field(text, at + 3, 1);
            return;
        }
    }
}

void put_mounts(struct buffer *text, const char *mountinfo, unsigned shown)
{
    unsigned count = 0;
    for (const char *line = mountinfo; line != NULL && *line; line = next_line(line))
        count++;
    put_number(text, count);
    unsigned index = 0;
    for (const char *line = mountinfo; line != NULL && *line && index < shown;
         line = next_line(line)) {
        put_text(text, index++ == 0 ? ": " : ", ");
        put_mount(text, line);
    }
    if (count > shown)
        put_text(text, ", …");
}

void put_memory_limit(struct buffer *text, const char *value)
{
    static const char *const units[] = { " B", " KiB", " MiB", " GiB", " TiB" };
    uint64_t bytes = take_number(&value);
    if (bytes == 0 || bytes >= NO_LIMIT) {
        put_text(text, "unlimited");
        return;
    }
    unsigned unit = 0;
    while (unit < 4 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    put_number(text, bytes);
    put_text(text, units[unit]);
}

void put_cpu_limit(struct buffer *text, const char *quota, const char *period)
{
    uint64_t used = take_number(&quota), of = take_number(&period);
    if (used == 0 || of == 0) {
        put_text(text, "unlimited");
        return;
    }
    uint64_t hundredths = (used * 100 + of / 2) / of;
    put_number(text, hundredths / 100);
    if (hundredths % 100 != 0) {
        put_byte(text, '.');
        put_padded(text, hundredths % 10 == 0 ? hundredths % 100 / 10 : hundredths % 100,
                   hundredths % 10 == 0 ? 1 : 2);
    }
    put_text(text, hundredths == 100 ? " CPU" : " CPUs");
}
