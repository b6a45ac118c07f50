/*
 * Expectations of the C unit tests: a failed one is printed with its place, and the program ends
 * with 1.
 */
#ifndef FX_EXPECT_H
#define FX_EXPECT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int expectations, failures;

#define EXPECT(condition) expect_that((condition) != 0, #condition, __FILE__, __LINE__)
#define EXPECT_TEXT(actual, wanted) expect_text(actual, wanted, __FILE__, __LINE__)

static inline void expect_that(int holds, const char *what, const char *file, int line)
{
    expectations++;
    if (!holds && failures++ < 20)
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
}

static inline void expect_text(const char *actual, const char *wanted, const char *file, int line)
{
    expectations++;
    if (strcmp(actual, wanted) != 0 && failures++ < 20)
        fprintf(stderr, "%s:%d: expected %s\n          got %s\n", file, line, wanted, actual);
}

static inline int conclude(const char *name)
{
    printf("%s: %d passed, %d failed\n", name, expectations - failures, failures);
    return failures != 0;
}

/* xorshift64: the same numbers in every run. */
static uint64_t random_state = 0x9e3779b97f4a7c15u;

static inline uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline uint64_t random_below(uint64_t limit)
{
    return random_number() % limit;
}

#endif
