/* What hello makes of the texts it reads. */
#include "../hello/facts.h"
#include "expect.h"

#define PRINTED(call)                                                                              \
    static_text = (struct buffer){ storage, 0, sizeof storage, false };                            \
    call;                                                                                          \
    put_end(&static_text)

static char storage[512];
static struct buffer static_text;

static void finds_values_of_status(void)
{
    const char *status = "Name:\ta\nGroups:\t0 1 2 \nNSpid:\t9\t1\nPid:\t5\n";
    PRINTED(put_status_value(&static_text, status, "Groups"));
    EXPECT_TEXT(storage, "0 1 2");
    PRINTED(put_status_value(&static_text, status, "Pid"));
    EXPECT_TEXT(storage, "5");
    PRINTED(put_status_value(&static_text, status, "None"));
    EXPECT_TEXT(storage, "");
}

static void names_capabilities(void)
{
    EXPECT(read_hexadecimal("00000000a80425fb\n") == 0xa80425fb);
    PRINTED(put_capabilities(&static_text, 0));
    EXPECT_TEXT(storage, "0");
    PRINTED(put_capabilities(&static_text, 1 | 1u << 21 | 1ull << 40 | 1ull << 63));
    EXPECT_TEXT(storage, "4: chown sys_admin checkpoint_restore 63");
}

static void lists_mounts(void)
{
    const char *mounts = "1 0 0:1 / / rw,relatime - overlay overlay rw\n"
                         "2 1 0:2 /a /proc rw master:1 - proc proc rw\n"
                         "3 1 0:3 / /dev rw - tmpfs tmpfs rw\n";
    PRINTED(put_mounts(&static_text, mounts, 2));
    EXPECT_TEXT(storage, "3: / overlay, /proc proc, …");
    PRINTED(put_mounts(&static_text, mounts, 9));
    EXPECT_TEXT(storage, "3: / overlay, /proc proc, /dev tmpfs");
    PRINTED(put_mounts(&static_text, "", 9));
    EXPECT_TEXT(storage, "0");
    PRINTED(put_mounts(&static_text, "broken", 9));
    EXPECT_TEXT(storage, "1: ");
}

static void tells_limits(void)
{
    const struct {
        const char *value, *wanted;
    } memory[] = { { "max", "unlimited" },     { "9223372036854771712", "unlimited" },
                   { "536870912", "512 MiB" }, { "1000", "1000 B" },
                   { "1025024", "1001 KiB" },  { "1099511627776", "1 TiB" } };
    for (size_t at = 0; at < sizeof memory / sizeof *memory; at++) {
        PRINTED(put_memory_limit(&static_text, memory[at].value));
        EXPECT_TEXT(storage, memory[at].wanted);
    }
    const struct {
        const char *quota, *period, *wanted;
    } cpu[] = { { "max", "100000", "unlimited" },   { "-1", "100000", "unlimited" },
                { "150000", "100000", "1.5 CPUs" }, { "100000", "100000", "1 CPU" },
                { "5000", "100000", "0.05 CPUs" },  { "1", "", "unlimited" } };
    for (size_t at = 0; at < sizeof cpu / sizeof *cpu; at++) {
        PRINTED(put_cpu_limit(&static_text, cpu[at].quota, cpu[at].period));
        EXPECT_TEXT(storage, cpu[at].wanted);
    }
}

int main(void)
{
    finds_values_of_status();
    names_capabilities();
    lists_mounts();
    tells_limits();
    return conclude("facts");
}
