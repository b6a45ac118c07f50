/* Runs a task at once or on a pool thread. */
#include "napi.h"

static void free_task(napi_env env, struct task *task)
{
    for (size_t at = 0; at < 3; at++)
        if (task->held[at] != NULL)
            napi_delete_reference(env, task->held[at]);
    if (task->callback != NULL)
        napi_delete_reference(env, task->callback);
    if (task->work != NULL)
        napi_delete_async_work(env, task->work);
    if (task->release != NULL)
        task->release(task);
    free(task);
}

static napi_value result_of(napi_env env, struct task *task)
{
    if (task->result < 0)
        return make_failure(env, task->result, &task->fault);
    return task->value == NULL ? make_number(env, task->result) : task->value(env, task);
}

static void execute(napi_env env, void *data)
{
    (void)env;
    struct task *task = data;
    task->result = task->run(task);
}

static void complete(napi_env env, napi_status status, void *data)
{
    struct task *task = data;
    napi_value callback, receiver, result;
    if (status == napi_cancelled)
        task->result = failed_with(&task->fault, "addon", ECANCELED);
    bool usable = napi_get_reference_value(env, task->callback, &callback) == napi_ok &&
                  napi_get_global(env, &receiver) == napi_ok;
    result = result_of(env, task);
    free_task(env, task);
    /* When the environment is being torn down there is nobody left to tell. */
    if (usable && result != NULL)
        napi_call_function(env, receiver, callback, 1, &result, NULL);
}

static bool hold(napi_env env, napi_value value, napi_ref *reference)
{
    return value == NULL || napi_create_reference(env, value, 1, reference) == napi_ok;
}

napi_value hold_together(napi_env env, const napi_value *values, uint32_t count)
{
    napi_value array;
    if (napi_create_array_with_length(env, count, &array) != napi_ok)
        return NULL;
    for (uint32_t at = 0; at < count; at++)
        napi_set_element(env, array, at, values[at]);
    return array;
}

napi_value run_task(napi_env env, struct task *task, napi_value cancel, napi_value callback, napi_value first,
                    napi_value second)
{
    napi_valuetype type = napi_undefined;
    napi_typeof(env, callback, &type);
    if (type != napi_function) {
        task->result = task->run(task);
        napi_value result = result_of(env, task);
        free_task(env, task);
        return result;
    }
    uint8_t *flag;
    size_t length;
    napi_value name;
    bool ready = get_bytes(env, cancel, &flag, &length) == 0 && length >= sizeof(int32_t);
    if (ready)
        task->cancel = (cancel_flag)(void *)flag;
    ready = ready && hold(env, cancel, &task->held[0]) && hold(env, first, &task->held[1]) &&
            hold(env, second, &task->held[2]) && hold(env, callback, &task->callback) &&
            napi_create_string_utf8(env, "fx", NAPI_AUTO_LENGTH, &name) == napi_ok &&
            napi_create_async_work(env, NULL, name, execute, complete, task, &task->work) == napi_ok &&
            napi_queue_async_work(env, task->work) == napi_ok;
    if (ready)
        return NULL;
    task->result = failed_with(&task->fault, "napi_create_async_work", EINVAL);
    napi_value result = result_of(env, task);
    free_task(env, task);
    return result;
}
