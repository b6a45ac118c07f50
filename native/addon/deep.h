/*
 * Going down many levels of directories with few descriptors: those far down are closed while we are below them and
 * opened again from their children. The hard limit of open files may be as low as 4096, and several walks go on at once.
 */
#pragma once
#include "addon.h"

/* Levels whose directories stay open. */
#define OPEN_LEVELS 64

/* Names, a NUL after each. */
struct names {
    char *bytes;
    size_t length, room;
};
/* False without memory. */
bool names_add(struct names *names, const char *name);
/* For __attribute__((cleanup)). */
void names_free(struct names *names);
#define AUTO_NAMES __attribute__((cleanup(names_free))) struct names

/* The directory that `child` is in, EBUSY when that is not `wanted` any more: somebody has moved `child`. */
int open_above(int child, int flags, const struct stat *wanted, struct fault *fault);
