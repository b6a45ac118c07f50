/* The table of functions that the addon gives to JavaScript; `src/interpreters/linux/addon.ts` has their types. */
#include "napi.h"

static const struct {
    const char *name;
    napi_callback call;
} functions[] = {
    { "signalProcess", call_signal_process },
    { "processRoot", call_process_root },
    { "layersRoot", call_layers_root },
    { "clearVolatile", call_clear_volatile },
    { "sealedFile", call_sealed_file },
    { "spawn", call_spawn },
    { "reap", call_reap },
    { "connectChannel", call_connect },
    { "send", call_send },
    { "duplicate", call_duplicate },
    { "lock", call_lock },
    { "killCgroup", call_kill_cgroup },
    { "attachDevices", call_attach_devices },
    { "batch", call_batch },
    { "treeSize", call_tree_size },
    { "syncFilesystem", call_sync_filesystem },
    { "copyTree", call_copy_tree },
    { "makeSubvolume", call_make_subvolume },
    { "snapshotSubvolume", call_snapshot_subvolume },
    { "readInRoot", call_read_in_root },
    { "statInRoot", call_stat_in_root },
    { "readPieces", call_read_pieces },
    { "walkOpen", call_walk_open },
    { "listOpen", call_list_open },
    { "walkNext", call_walk_next },
    { "walkClose", call_walk_close },
    { "unpackOpen", call_unpack_open },
    { "unpackRun", call_unpack_run },
    { "unpackClose", call_unpack_close },
    { "layerOpen", call_layer_open },
    { "layerRun", call_layer_run },
    { "layerImplied", call_layer_implied },
    { "layerFinish", call_layer_finish },
    { "layerIsOpaque", call_layer_is_opaque },
    { "layerClose", call_layer_close },
    { "digestOpen", call_digest_open },
    { "digestText", call_digest_text },
    { "digestWrite", call_digest_write },
    { "digestFile", call_digest_file },
    { "digestClose", call_digest_close },
    { "expandOpen", call_expand_open },
    { "expandRun", call_expand_run },
    { "expandDigest", call_expand_digest },
    { "expandClose", call_expand_close },
    { "plainOutput", call_plain_output },
};

NAPI_MODULE_INIT()
{
    for (size_t at = 0; at < sizeof functions / sizeof functions[0]; at++) {
        const char *name = functions[at].name;
        napi_value function;
        if (napi_create_function(env, name, NAPI_AUTO_LENGTH, functions[at].call, NULL, &function) != napi_ok ||
            napi_set_named_property(env, exports, name, function) != napi_ok)
            return NULL;
    }
    return exports;
}
