/* Unpackings of layers as JavaScript sees them. */
#include "napi.h"

#include "layer.h"

static napi_value bad(napi_env env, int error)
{
    struct fault fault = {.call = "addon"};
    return make_failure(env, error, &fault);
}

/* layerOpen(root, flat, depth, implied): a layer. The root's descriptor is closed in any case. */
CALL(call_layer_open)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t root, depth, implied;
    struct layer *layer;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &root))
        return bad(env, -EINVAL);
    if (get_integer(env, a.at[2], &depth) || get_integer(env, a.at[3], &implied) || depth < 0 || depth > UINT16_MAX ||
        implied < 0) {
        close((int)root);
        return bad(env, -EINVAL);
    }
    struct layer_options options = {
        .flat = get_flag(env, a.at[1]), .depth = (uint32_t)depth, .implied = (uint64_t)implied
    };
    int result = layer_open((int)root, options, &layer, &fault);
    return result < 0 ? make_failure(env, result, &fault) : make_box(env, BOX_LAYER, layer);
}

struct layer_task {
    struct task task;
    struct layer *layer;
    struct reader records, data;
    /* Of its own, or -1. */
    int below;
    uint64_t contents;
};

static void layer_release(struct task *task)
{
    close_fd(&((struct layer_task *)task)->below);
}

static struct layer_task *make_layer_task(napi_env env, napi_value value, int (*run)(struct task *))
{
    struct box *box = open_box(env, value, BOX_LAYER);
    struct layer_task *task = box == NULL ? NULL : calloc(1, sizeof *task);
    if (task == NULL)
        return NULL;
    task->layer = box->thing;
    task->below = -1;
    task->task.run = run;
    task->task.release = layer_release;
    return task;
}

static int layer_task_run(struct task *task)
{
    struct layer_task *layer = (struct layer_task *)task;
    return layer_run(layer->layer, layer->records, layer->data, task->cancel, &task->fault);
}

/* layerRun(layer, records, length, data, cancel?, callback?): 0; `index` of a failure, see layer_run */
CALL(call_layer_run)
{
    struct arguments a;
    uint8_t *records, *data;
    size_t room, size;
    int64_t length;
    get_arguments(env, info, &a);
    struct layer_task *task = make_layer_task(env, a.at[0], layer_task_run);
    if (task == NULL)
        return bad(env, -EBADF);
    if (get_bytes(env, a.at[1], &records, &room) || get_integer(env, a.at[2], &length) || length < 0 ||
        (uint64_t)length > room || get_bytes(env, a.at[3], &data, &size)) {
        free(task);
        return bad(env, -EINVAL);
    }
    task->records = (struct reader){.at = records, .end = records + length};
    task->data = (struct reader){.at = data, .end = data + size};
    return run_task(env, &task->task, a.at[4], a.at[5], hold_together(env, a.at, 2), a.at[3]);
}

static int layer_task_finish(struct task *task)
{
    struct layer_task *layer = (struct layer_task *)task;
    return layer_finish(layer->layer, layer->below, task->cancel, &layer->contents, &task->fault);
}

static napi_value contents_value(napi_env env, struct task *task)
{
    return make_number(env, (double)((struct layer_task *)task)->contents);
}

/* layerFinish(layer, below, cancel?, callback?): bytes of the regular files; `below` is a descriptor or -1 */
CALL(call_layer_finish)
{
    struct arguments a;
    int64_t below;
    get_arguments(env, info, &a);
    struct layer_task *task = make_layer_task(env, a.at[0], layer_task_finish);
    if (task == NULL)
        return bad(env, -EBADF);
    int error = get_integer(env, a.at[1], &below);
    if (error == 0 && below >= 0 && (task->below = fcntl((int)below, F_DUPFD_CLOEXEC, 3)) < 0)
        error = -errno;
    if (error < 0) {
        free(task);
        return bad(env, error);
    }
    task->task.value = contents_value;
    return run_task(env, &task->task, a.at[2], a.at[3], a.at[0], NULL);
}

/* layerImplied(layer): how many directories there are, but for the root, that no entry describes */
CALL(call_layer_implied)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], BOX_LAYER);
    return box == NULL ? bad(env, -EBADF) : make_number(env, (double)((struct layer *)box->thing)->unsettled);
}

/* layerIsOpaque(layer): 1 when it hides all layers below */
CALL(call_layer_is_opaque)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], BOX_LAYER);
    return box == NULL ? bad(env, -EBADF) : make_number(env, layer_is_opaque(box->thing));
}

CALL(call_layer_close)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], BOX_LAYER);
    if (box != NULL)
        close_box(box);
    return NULL;
}
