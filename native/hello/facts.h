/* Turns the texts of proc(5) and of control groups into what hello prints. Pure. */
#ifndef FX_FACTS_H
#define FX_FACTS_H

#include "../init/text.h"

/*
 * The value of `Key:` in /proc/self/status, up to the end of its line and without the blanks
 * around; "" when missing.
 */
void put_status_value(struct buffer *text, const char *status, const char *key);

/* A hexadecimal number; stops at the first other character. */
uint64_t read_hexadecimal(const char *text);

/*
 * "14: chown dac_override …" for a set of capabilities; numbers without a name are written as such.
 */
void put_capabilities(struct buffer *text, uint64_t set);

/*
 * "N: /target type, …" from /proc/self/mountinfo, at most `shown` of them. A type follows the first
 * " - ".
 */
void put_mounts(struct buffer *text, const char *mountinfo, unsigned shown);

/* Bytes as "512 MiB"; what no machine has is "unlimited", as is "max". */
void put_memory_limit(struct buffer *text, const char *value);

/* A quota and a period in microseconds as "1.5 CPUs"; "max" or a negative quota is "unlimited". */
void put_cpu_limit(struct buffer *text, const char *quota, const char *period);

#endif
