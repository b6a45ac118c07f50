/* What /proc tells of a process: field numbers are those of proc_pid_stat(5). */
#ifndef FX_PROCESSSTAT_H
#define FX_PROCESSSTAT_H

#include <stdint.h>

/* PF_* of include/linux/sched.h. */
#define STAT_FLAGS 9
/* Clock ticks from boot to its start: tells one process from a later one of the same pid. */
#define STAT_START_TIME 22

/* Field `number` of /proc/PID/stat, 0 when the process has gone. */
uint64_t process_stat(uint32_t pid, unsigned number);

#endif
