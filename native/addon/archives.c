/* Walks and unpackings as JavaScript sees them. */
#include "napi.h"

static napi_value bad(napi_env env, int error)
{
    struct fault fault = {.call = "addon"};
    return make_failure(env, error, &fault);
}

/* walkOpen(root, path, name, follow): a walk. The root's descriptor is closed in any case. */
CALL(call_walk_open)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t root;
    AUTO_TEXT path = NULL;
    AUTO_TEXT name = NULL;
    struct walk *walk;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &root))
        return bad(env, -EINVAL);
    int result = get_text(env, a.at[1], &path);
    if (result == 0)
        result = get_text(env, a.at[2], &name);
    if (result < 0) {
        close((int)root);
        return bad(env, result);
    }
    result = walk_open((int)root, path, name, get_flag(env, a.at[3]), &walk, &fault);
    return result < 0 ? make_failure(env, result, &fault) : make_box(env, BOX_WALK, walk);
}

/* listOpen(root, requests): a walk. The root's descriptor is closed in any case. */
CALL(call_list_open)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t root;
    uint8_t *bytes;
    size_t length;
    struct walk *walk;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &root))
        return bad(env, -EINVAL);
    if (get_bytes(env, a.at[1], &bytes, &length)) {
        close((int)root);
        return bad(env, -EINVAL);
    }
    int result = list_open((int)root, bytes, length, &walk, &fault);
    return result < 0 ? make_failure(env, result, &fault) : make_box(env, BOX_WALK, walk);
}

struct archive_task {
    struct task task;
    void *thing;
    uint8_t *bytes;
    size_t length;
};

static int walk_run(struct task *task)
{
    struct archive_task *archive = (struct archive_task *)task;
    return walk_next(archive->thing, archive->bytes, archive->length, task->cancel, &task->fault);
}

static int unpack_task_run(struct task *task)
{
    struct archive_task *archive = (struct archive_task *)task;
    return unpack_run(archive->thing, archive->bytes, archive->length, task->cancel, &task->fault);
}

/* A task on (box, bytes, …), or null when the arguments are no good. */
static struct archive_task *make_archive_task(napi_env env, struct arguments *a, enum box_kind kind)
{
    struct box *box = open_box(env, a->at[0], kind);
    struct archive_task *archive = box == NULL ? NULL : calloc(1, sizeof *archive);
    if (archive == NULL)
        return NULL;
    archive->thing = box->thing;
    if (get_bytes(env, a->at[1], &archive->bytes, &archive->length) == 0)
        return archive;
    free(archive);
    return NULL;
}

/* walkNext(walk, buffer, cancel?, callback?): bytes filled, 0 at the end */
CALL(call_walk_next)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct archive_task *archive = make_archive_task(env, &a, BOX_WALK);
    if (archive == NULL)
        return bad(env, -EBADF);
    archive->task.run = walk_run;
    return run_task(env, &archive->task, a.at[2], a.at[3], a.at[0], a.at[1]);
}

CALL(call_walk_close)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], BOX_WALK);
    if (box != NULL)
        close_box(box);
    return NULL;
}

/* unpackOpen(root, path, strict, uid, gid): an unpacking. The root's descriptor is closed in any case. */
CALL(call_unpack_open)
{
    struct arguments a;
    struct fault fault = {0};
    int64_t root, uid, gid;
    AUTO_TEXT path = NULL;
    struct unpack *unpack;
    get_arguments(env, info, &a);
    if (get_integer(env, a.at[0], &root))
        return bad(env, -EINVAL);
    int result = get_text(env, a.at[1], &path);
    if (result == 0)
        result = get_integer(env, a.at[3], &uid);
    if (result == 0)
        result = get_integer(env, a.at[4], &gid);
    if (result < 0) {
        close((int)root);
        return bad(env, result);
    }
    struct unpack_options options = {.strict = get_flag(env, a.at[2]), .uid = (uid_t)uid, .gid = (gid_t)gid};
    result = unpack_open((int)root, path, options, &unpack, &fault);
    return result < 0 ? make_failure(env, result, &fault) : make_box(env, BOX_UNPACK, unpack);
}

/* unpackRun(unpack, bytes, length, cancel?, callback?): 0 */
CALL(call_unpack_run)
{
    struct arguments a;
    int64_t length;
    get_arguments(env, info, &a);
    struct archive_task *archive = make_archive_task(env, &a, BOX_UNPACK);
    if (archive == NULL)
        return bad(env, -EBADF);
    if (get_integer(env, a.at[2], &length) || length < 0 || (uint64_t)length > archive->length) {
        free(archive);
        return bad(env, -EINVAL);
    }
    archive->length = (size_t)length;
    archive->task.run = unpack_task_run;
    return run_task(env, &archive->task, a.at[3], a.at[4], a.at[0], a.at[1]);
}

CALL(call_unpack_close)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], BOX_UNPACK);
    if (box != NULL)
        close_box(box);
    return NULL;
}
