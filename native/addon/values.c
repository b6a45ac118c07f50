/* Arguments from JavaScript and results for it. */
#include "napi.h"

void get_arguments(napi_env env, napi_callback_info info, struct arguments *arguments)
{
    size_t count = ARGUMENTS;
    napi_get_cb_info(env, info, &count, arguments->at, NULL, NULL);
}

int get_text(napi_env env, napi_value value, char **text)
{
    size_t length;
    if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok)
        return -EINVAL;
    *text = malloc(length + 1);
    if (*text == NULL)
        return -ENOMEM;
    napi_get_value_string_utf8(env, value, *text, length + 1, &length);
    return strlen(*text) == length ? 0 : -EINVAL;
}

int get_bytes(napi_env env, napi_value value, uint8_t **bytes, size_t *length)
{
    bool is_view = false;
    /* True of every typed array, of a DataView too. */
    if (napi_is_buffer(env, value, &is_view) != napi_ok || !is_view)
        return -EINVAL;
    return napi_get_buffer_info(env, value, (void **)bytes, length) == napi_ok ? 0 : -EINVAL;
}

int get_integer(napi_env env, napi_value value, int64_t *integer)
{
    return napi_get_value_int64(env, value, integer) == napi_ok ? 0 : -EINVAL;
}

bool get_flag(napi_env env, napi_value value)
{
    bool flag = false;
    return napi_get_value_bool(env, value, &flag) == napi_ok && flag;
}

napi_value make_number(napi_env env, double number)
{
    napi_value value;
    return napi_create_double(env, number, &value) == napi_ok ? value : NULL;
}

static void put_text(napi_env env, napi_value object, const char *key, const char *text)
{
    napi_value value;
    if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok)
        napi_set_named_property(env, object, key, value);
}

napi_value make_failure(napi_env env, int error, const struct fault *fault)
{
    napi_value object;
    if (napi_create_object(env, &object) != napi_ok)
        return NULL;
    napi_set_named_property(env, object, "errno", make_number(env, -error));
    put_text(env, object, "syscall", fault->call == NULL ? "addon" : fault->call);
    put_text(env, object, "path", fault->path);
    put_text(env, object, "detail", fault->detail);
    napi_set_named_property(env, object, "index", make_number(env, fault->index));
    return object;
}

napi_value make_result(napi_env env, int result, const struct fault *fault)
{
    return result < 0 ? make_failure(env, result, fault) : make_number(env, result);
}
