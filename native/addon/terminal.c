/* The user's terminal: the one setting that Node's raw mode leaves as it was. */
#include "napi.h"

#include <termios.h>

/* plainOutput(fd): 0; what is written to the terminal then reaches it unchanged (termios(3): OPOST off) */
CALL(call_plain_output)
{
    struct arguments a;
    struct fault fault = { .call = "tcsetattr" };
    struct termios settings;
    int64_t fd;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &fd))
        return make_failure(env, -EINVAL, &fault);
    if (tcgetattr((int)fd, &settings) < 0)
        return make_failure(env, failed(&fault, "tcgetattr"), &fault);
    settings.c_oflag &= ~(tcflag_t)OPOST;
    return make_result(env, tcsetattr((int)fd, TCSADRAIN, &settings) < 0 ? failed(&fault, "tcsetattr") : 0, &fault);
}
