/* Functions that JavaScript calls and that are over at once. */
#include "napi.h"

#include <sys/file.h>
#include <sys/socket.h>

/* `failure` when one of the arguments was not what it should be. */
static napi_value bad_arguments(napi_env env, int error)
{
    struct fault fault = {.call = "addon"};
    return make_failure(env, error == -ENOMEM ? -ENOMEM : -EINVAL, &fault);
}

/* signalProcess(pid, startTime, signal): 0 */
CALL(call_signal_process)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t pid, start, signal;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &pid) || get_integer(env, a.at[1], &start) || get_integer(env, a.at[2], &signal))
        return bad_arguments(env, -EINVAL);
    return make_result(env, signal_process((int)pid, (uint64_t)start, (int)signal, &fault), &fault);
}

/* processRoot(pid, startTime): descriptor */
CALL(call_process_root)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t pid, start;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &pid) || get_integer(env, a.at[1], &start))
        return bad_arguments(env, -EINVAL);
    return make_result(env, open_process_root((int)pid, (uint64_t)start, &fault), &fault);
}

static int get_texts(napi_env env, napi_value array, char ***texts, uint32_t *count)
{
    bool is_array = false;
    *count = 0;
    if (napi_is_array(env, array, &is_array) != napi_ok || !is_array ||
        napi_get_array_length(env, array, count) != napi_ok)
        return -EINVAL;
    *texts = calloc(*count + 1, sizeof **texts);
    int result = *texts == NULL ? -ENOMEM : 0;
    for (uint32_t at = 0; at < *count && result == 0; at++) {
        napi_value element;
        bool found = napi_get_element(env, array, at, &element) == napi_ok;
        result = found ? get_text(env, element, &(*texts)[at]) : -EINVAL;
    }
    return result;
}

/* layersRoot(lower, upper, work): descriptor */
CALL(call_layers_root)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT upper = NULL;
    AUTO_TEXT work = NULL;
    char **lower = NULL;
    uint32_t count = 0;
    get_arguments(env, info, &a);
    int result = get_texts(env, a.at[0], &lower, &count);
    if (result == 0)
        result = get_text(env, a.at[1], &upper);
    if (result == 0)
        result = get_text(env, a.at[2], &work);
    napi_value value = NULL;
    if (result < 0 || count == 0)
        value = bad_arguments(env, result);
    else
        value = make_result(env, mount_layers((const char *const *)lower, count, upper, work, &fault), &fault);
    for (uint32_t at = 0; lower != NULL && at < count; at++)
        free(lower[at]);
    free(lower);
    return value;
}

/* clearVolatile(work): 0 */
CALL(call_clear_volatile)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT work = NULL;
    get_arguments(env, info, &a);
    int result = get_text(env, a.at[0], &work);
    return result < 0 ? bad_arguments(env, result) : make_result(env, clear_volatile(work, &fault), &fault);
}

/* sealedFile(name, bytes, executable): descriptor */
CALL(call_sealed_file)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT name = NULL;
    uint8_t *bytes;
    size_t length;
    get_arguments(env, info, &a);
    int result = get_text(env, a.at[0], &name);
    if (result == 0)
        result = get_bytes(env, a.at[1], &bytes, &length);
    if (result < 0)
        return bad_arguments(env, result);
    return make_result(env, make_sealed(name, bytes, length, get_flag(env, a.at[2]), &fault), &fault);
}

/* spawn(init, id, spec, channel): pid; the descriptor is written into the Int32Array `channel`. */
CALL(call_spawn)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT id = NULL;
    int64_t init;
    uint8_t *spec, *out;
    size_t length, room;
    int channel = -1;
    get_arguments(env, info, &a);
    int result = get_integer(env, a.at[0], &init);
    if (result == 0)
        result = get_text(env, a.at[1], &id);
    if (result == 0)
        result = get_bytes(env, a.at[2], &spec, &length);
    if (result == 0)
        result = get_bytes(env, a.at[3], &out, &room);
    if (result < 0 || room < sizeof channel)
        return bad_arguments(env, result);
    int pid = spawn_supervisor((int)init, id, spec, length, &channel, &fault);
    memcpy(out, &channel, sizeof channel);
    return make_result(env, pid, &fault);
}

/* reap(pid): 1 when it has ended, 0 while it runs; ECHILD */
CALL(call_reap)
{
    struct arguments a;
    struct fault fault = {.call = "waitpid"};
    int64_t pid;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &pid) || pid <= 0)
        return bad_arguments(env, -EINVAL);
    return make_result(env, reap((int)pid), &fault);
}

/* connectChannel(directory): descriptor */
CALL(call_connect)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT directory = NULL;
    get_arguments(env, info, &a);
    int result = get_text(env, a.at[0], &directory);
    return result < 0 ? bad_arguments(env, result) : make_result(env, connect_channel(directory, &fault), &fault);
}

/* send(fd, bytes, offset): bytes that the kernel took without waiting, 0 when it took none */
CALL(call_send)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t fd, offset;
    uint8_t *bytes;
    size_t length;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &fd) || get_bytes(env, a.at[1], &bytes, &length) ||
        get_integer(env, a.at[2], &offset))
        return bad_arguments(env, -EINVAL);
    if (offset < 0 || (uint64_t)offset > length)
        return bad_arguments(env, -EINVAL);
    ssize_t count;
    do count = send((int)fd, bytes + offset, length - (size_t)offset, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return make_number(env, 0);
    return count < 0 ? make_failure(env, failed(&fault, "sendto"), &fault) : make_number(env, (double)count);
}

/* duplicate(fd): descriptor */
CALL(call_duplicate)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t fd;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &fd))
        return bad_arguments(env, -EINVAL);
    int copy = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
    return make_result(env, copy < 0 ? failed(&fault, "fcntl") : copy, &fault);
}

/* lock(fd, shared): 1 when taken, 0 when another has it */
CALL(call_lock)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t fd;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &fd))
        return bad_arguments(env, -EINVAL);
    int how = (get_flag(env, a.at[1]) ? LOCK_SH : LOCK_EX) | LOCK_NB;
    if (flock((int)fd, how) == 0)
        return make_number(env, 1);
    if (errno == EWOULDBLOCK || errno == EINTR)
        return make_number(env, 0);
    return make_failure(env, failed(&fault, "flock"), &fault);
}

/* killCgroup(directory): processes seen */
CALL(call_kill_cgroup)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT directory = NULL;
    get_arguments(env, info, &a);
    int result = get_text(env, a.at[0], &directory);
    return result < 0 ? bad_arguments(env, result) : make_result(env, kill_cgroup(directory, &fault), &fault);
}

/* attachDevices(directory, program): 0 */
CALL(call_attach_devices)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT directory = NULL;
    uint8_t *program;
    size_t length;
    get_arguments(env, info, &a);
    int result = get_text(env, a.at[0], &directory);
    if (result == 0)
        result = get_bytes(env, a.at[1], &program, &length);
    if (result < 0)
        return bad_arguments(env, result);
    return make_result(env, attach_devices(directory, program, length, &fault), &fault);
}
