/* What the files that face JavaScript share: arguments, results, and tasks that run here or on a pool thread. */
#ifndef FX_NAPI_H
#define FX_NAPI_H

#include "addon.h"

#include <node_api.h>

/* At most this many arguments are taken from a call; missing ones are undefined. */
#define ARGUMENTS 8
struct arguments {
    napi_value at[ARGUMENTS];
};
void get_arguments(napi_env env, napi_callback_info info, struct arguments *arguments);

/*
 * Each reads an argument, or gives -EINVAL for another type. A text is new memory, and -EINVAL also with a NUL in
 * it. Bytes are those of any typed array or Buffer, valid while the value is held.
 */
int get_text(napi_env env, napi_value value, char **text);
int get_bytes(napi_env env, napi_value value, uint8_t **bytes, size_t *length);
int get_integer(napi_env env, napi_value value, int64_t *integer);
bool get_flag(napi_env env, napi_value value);

napi_value make_number(napi_env env, double number);
/* The result of every failure: `{ errno, syscall, index, path, detail }`; `error` is a negative errno. */
napi_value make_failure(napi_env env, int error, const struct fault *fault);
/* A count or descriptor as it is, a negative errno as a failure. */
napi_value make_result(napi_env env, int result, const struct fault *fault);

/*
 * Something to do that may take long. `run` may be on a pool thread and uses no N-API; `value` makes the result of
 * a success, where there is one; `release` frees what the task holds, not the task.
 */
struct task {
    int (*run)(struct task *task);
    napi_value (*value)(napi_env env, struct task *task);
    void (*release)(struct task *task);
    int result;
    struct fault fault;
    cancel_flag cancel;
    napi_async_work work;
    napi_ref callback;
    napi_ref held[3];
};

/*
 * Runs a task made by malloc and frees it. Without a callback: at once, and the result is returned. With one: on a
 * pool thread, and the callback gets it; `cancel` is an Int32Array(1) that may be set meanwhile, `first` and
 * `second` are values whose memory the task uses (or null).
 */
napi_value run_task(napi_env env, struct task *task, napi_value cancel, napi_value callback, napi_value first,
                    napi_value second);

/* An array of the first values, to be held as one; null when it can't be made. */
napi_value hold_together(napi_env env, const napi_value *values, uint32_t count);

/* box.c: what an external value points to; `thing` is null once closed. */
struct box {
    enum box_kind { BOX_WALK, BOX_UNPACK, BOX_LAYER, BOX_DIGEST, BOX_EXPAND } kind;
    void *thing;
};
napi_value make_box(napi_env env, enum box_kind kind, void *thing);
/* What is in the box, or null when it is closed or none of this kind. */
struct box *open_box(napi_env env, napi_value value, enum box_kind kind);
void close_box(struct box *box);

/* The functions of calls.c, archives.c, layers.c, streams.c, tasks.c and terminal.c. */
#define CALL(name) napi_value name(napi_env env, napi_callback_info info)
CALL(call_signal_process);
CALL(call_process_root);
CALL(call_layers_root);
CALL(call_clear_volatile);
CALL(call_sealed_file);
CALL(call_spawn);
CALL(call_reap);
CALL(call_connect);
CALL(call_send);
CALL(call_duplicate);
CALL(call_lock);
CALL(call_kill_cgroup);
CALL(call_attach_devices);
CALL(call_plain_output);
CALL(call_batch);
CALL(call_tree_size);
CALL(call_sync_filesystem);
CALL(call_copy_tree);
CALL(call_make_subvolume);
CALL(call_snapshot_subvolume);
CALL(call_read_in_root);
CALL(call_stat_in_root);
CALL(call_read_pieces);
CALL(call_walk_open);
CALL(call_list_open);
CALL(call_walk_next);
CALL(call_walk_close);
CALL(call_unpack_open);
CALL(call_unpack_run);
CALL(call_unpack_close);
CALL(call_layer_open);
CALL(call_layer_run);
CALL(call_layer_implied);
CALL(call_layer_finish);
CALL(call_layer_is_opaque);
CALL(call_layer_close);
CALL(call_digest_open);
CALL(call_digest_text);
CALL(call_digest_write);
CALL(call_digest_file);
CALL(call_digest_close);
CALL(call_expand_open);
CALL(call_expand_run);
CALL(call_expand_digest);
CALL(call_expand_close);

#endif
