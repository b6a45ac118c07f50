/* The search of a program along PATH. Pure. */
#ifndef FX_SEARCH_H
#define FX_SEARCH_H

#include "text.h"

/* What is searched when the environment names no PATH: the default of docker's containers. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * Writes the next candidate, "DIRECTORY/name", and moves `*directories` past it; false when there
 * are no more. Entries that are empty or relative are passed over: they would search the working
 * directory. So are candidates longer than `capacity`.
 */
bool next_candidate(const char **directories, const char *name, char *candidate, size_t capacity);

#endif
