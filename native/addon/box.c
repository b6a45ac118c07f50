/* Open things of C as values of JavaScript: closed by hand, or by the garbage collector at last. */
#include "napi.h"

#include "layer.h"
#include "streams.h"

void close_box(struct box *box)
{
    void *thing = box->thing;
    box->thing = NULL;
    if (thing == NULL)
        return;
    switch (box->kind) {
    case BOX_WALK:
        return walk_close(thing);
    case BOX_UNPACK:
        return unpack_close(thing);
    case BOX_LAYER:
        return layer_close(thing);
    case BOX_DIGEST:
        return digest_close(thing);
    case BOX_EXPAND:
        return expand_close(thing);
    }
}

static void finalize(napi_env env, void *data, void *hint)
{
    (void)env;
    (void)hint;
    close_box(data);
    free(data);
}

napi_value make_box(napi_env env, enum box_kind kind, void *thing)
{
    struct fault fault = {.call = "malloc"};
    napi_value value;
    struct box *box = malloc(sizeof *box);
    if (box != NULL) {
        *box = (struct box){.kind = kind, .thing = thing};
        if (napi_create_external(env, box, finalize, NULL, &value) == napi_ok)
            return value;
        close_box(box);
        free(box);
    } else {
        close_box(&(struct box){.kind = kind, .thing = thing});
    }
    return make_failure(env, -ENOMEM, &fault);
}

struct box *open_box(napi_env env, napi_value value, enum box_kind kind)
{
    napi_valuetype type = napi_undefined;
    struct box *box = NULL;
    if (napi_typeof(env, value, &type) != napi_ok || type != napi_external)
        return NULL;
    if (napi_get_value_external(env, value, (void **)&box) != napi_ok || box->kind != kind)
        return NULL;
    return box->thing == NULL ? NULL : box;
}
