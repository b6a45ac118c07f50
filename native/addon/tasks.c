/* Functions that may take long: each is a task, see run_task. */
#include "napi.h"

#include <sys/sysmacros.h>

static napi_value refused(napi_env env, struct task *task, int error)
{
    struct fault fault = {.call = "addon"};
    if (task != NULL && task->release != NULL)
        task->release(task);
    free(task);
    return make_failure(env, task == NULL ? -ENOMEM : error, &fault);
}

struct batch_task {
    struct task task;
    uint8_t *bytes;
    size_t length;
};

static int batch_run(struct task *task)
{
    struct batch_task *batch = (struct batch_task *)task;
    return run_batch(batch->bytes, batch->length, task->cancel, &task->fault);
}

/* batch(bytes, length, cancel?, callback?): 0; `index` of a failure is the operation's place */
CALL(call_batch)
{
    struct arguments a;
    int64_t length;
    get_arguments(env, info, &a);
    struct batch_task *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return refused(env, NULL, 0);
    batch->task.run = batch_run;
    if (get_bytes(env, a.at[0], &batch->bytes, &batch->length) || get_integer(env, a.at[1], &length) ||
        length < 0 || (uint64_t)length > batch->length)
        return refused(env, &batch->task, -EINVAL);
    batch->length = (size_t)length;
    return run_task(env, &batch->task, a.at[2], a.at[3], a.at[0], NULL);
}

struct size_task {
    struct task task;
    char *path;
    uint64_t bytes;
};

static int size_run(struct task *task)
{
    struct size_task *size = (struct size_task *)task;
    return measure_tree(size->path, task->cancel, &size->bytes, &task->fault);
}

static napi_value size_value(napi_env env, struct task *task)
{
    return make_number(env, (double)((struct size_task *)task)->bytes);
}

static void size_release(struct task *task)
{
    free(((struct size_task *)task)->path);
}

/* treeSize(path, cancel?, callback?): bytes */
CALL(call_tree_size)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct size_task *size = calloc(1, sizeof *size);
    if (size == NULL)
        return refused(env, NULL, 0);
    size->task.run = size_run;
    size->task.value = size_value;
    size->task.release = size_release;
    int result = get_text(env, a.at[0], &size->path);
    if (result < 0)
        return refused(env, &size->task, result);
    return run_task(env, &size->task, a.at[1], a.at[2], NULL, NULL);
}

static int sync_run(struct task *task)
{
    AUTO_FD fd = open(((struct size_task *)task)->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(&task->fault, "openat");
    return syncfs(fd) < 0 ? failed(&task->fault, "syncfs") : 0;
}

/* syncFilesystem(path, cancel?, callback?): 0 */
CALL(call_sync_filesystem)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct size_task *sync = calloc(1, sizeof *sync);
    if (sync == NULL)
        return refused(env, NULL, 0);
    sync->task.run = sync_run;
    sync->task.release = size_release;
    int result = get_text(env, a.at[0], &sync->path);
    if (result < 0)
        return refused(env, &sync->task, result);
    return run_task(env, &sync->task, a.at[1], a.at[2], NULL, NULL);
}

struct copy_task {
    struct task task;
    char *from;
    char *to;
};

static int copy_run(struct task *task)
{
    struct copy_task *copy = (struct copy_task *)task;
    return copy_tree(copy->from, copy->to, task->cancel, &task->fault);
}

static int subvolume_run(struct task *task)
{
    return make_subvolume(((struct copy_task *)task)->to, &task->fault);
}

static int snapshot_run(struct task *task)
{
    struct copy_task *copy = (struct copy_task *)task;
    return snapshot_subvolume(copy->from, copy->to, &task->fault);
}

static void copy_release(struct task *task)
{
    free(((struct copy_task *)task)->from);
    free(((struct copy_task *)task)->to);
}

/* A task about the paths that come before the flag and the callback: one, the target, or two. */
static napi_value run_copy(napi_env env, napi_callback_info info, int (*run)(struct task *), int paths)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct copy_task *copy = calloc(1, sizeof *copy);
    if (copy == NULL)
        return refused(env, NULL, 0);
    copy->task.run = run;
    copy->task.release = copy_release;
    int result = paths == 1 ? 0 : get_text(env, a.at[0], &copy->from);
    if (result == 0)
        result = get_text(env, a.at[paths - 1], &copy->to);
    return result < 0 ? refused(env, &copy->task, result)
                      : run_task(env, &copy->task, a.at[paths], a.at[paths + 1], NULL, NULL);
}

/* copyTree(from, to, cancel?, callback?): 0 */
CALL(call_copy_tree)
{
    return run_copy(env, info, copy_run, 2);
}

/* makeSubvolume(path, cancel?, callback?): 0 */
CALL(call_make_subvolume)
{
    return run_copy(env, info, subvolume_run, 1);
}

/* snapshotSubvolume(from, to, cancel?, callback?): 0 */
CALL(call_snapshot_subvolume)
{
    return run_copy(env, info, snapshot_run, 2);
}

/* A look into a root: reads a file, or asks for its status. */
struct look_task {
    struct task task;
    /* Of its own: the caller may close the root while a stranger's file system keeps the task waiting. */
    int root;
    char *path;
    uint32_t limit;
    uint8_t *bytes;
    size_t length;
    bool follow;
    struct stat status;
    char target[PATH_MAX];
};

static int read_run(struct task *task)
{
    struct look_task *look = (struct look_task *)task;
    return read_in_root(look->root, look->path, look->limit, &look->bytes, &look->length, &task->fault);
}

static napi_value read_value_of(napi_env env, struct task *task)
{
    struct look_task *look = (struct look_task *)task;
    napi_value value;
    return napi_create_buffer_copy(env, look->length, look->bytes, NULL, &value) == napi_ok ? value : NULL;
}

static int stat_run(struct task *task)
{
    struct look_task *look = (struct look_task *)task;
    return stat_in_root(look->root, look->path, look->follow, &look->status, look->target, &task->fault);
}

static napi_value stat_value_of(napi_env env, struct task *task)
{
    struct look_task *look = (struct look_task *)task;
    const struct stat *status = &look->status;
    const double numbers[6] = {
            status->st_mode, status->st_uid, status->st_gid, (double)status->st_size,
            major(status->st_rdev), minor(status->st_rdev),
    };
    napi_value array, target;
    if (napi_create_array_with_length(env, 7, &array) != napi_ok)
        return NULL;
    for (uint32_t at = 0; at < 6; at++)
        napi_set_element(env, array, at, make_number(env, numbers[at]));
    if (napi_create_string_utf8(env, look->target, NAPI_AUTO_LENGTH, &target) == napi_ok)
        napi_set_element(env, array, 6, target);
    return array;
}

static void look_release(struct task *task)
{
    struct look_task *look = (struct look_task *)task;
    close_fd(&look->root);
    free(look->path);
    free(look->bytes);
}

static struct look_task *make_look(napi_env env, struct arguments *a, int *error)
{
    int64_t root;
    struct look_task *look = calloc(1, sizeof *look);
    if (look == NULL)
        return NULL;
    look->task.release = look_release;
    look->root = -1;
    *error = get_integer(env, a->at[0], &root);
    if (*error == 0)
        *error = get_text(env, a->at[1], &look->path);
    if (*error == 0)
        look->root = fcntl((int)root, F_DUPFD_CLOEXEC, 3);
    if (*error == 0 && look->root < 0)
        *error = -errno;
    return look;
}

/* readInRoot(root, path, limit, cancel?, callback?): Buffer */
CALL(call_read_in_root)
{
    struct arguments a;
    int64_t limit = 0;
    int error = 0;
    get_arguments(env, info, &a);
    struct look_task *look = make_look(env, &a, &error);
    if (look == NULL)
        return refused(env, NULL, 0);
    if (error < 0)
        return refused(env, &look->task, error);
    if (get_integer(env, a.at[2], &limit) || limit < 0 || limit > UINT32_MAX)
        return refused(env, &look->task, -EINVAL);
    look->limit = (uint32_t)limit;
    look->task.run = read_run;
    look->task.value = read_value_of;
    return run_task(env, &look->task, a.at[3], a.at[4], NULL, NULL);
}

/* statInRoot(root, path, follow, cancel?, callback?): [st_mode, uid, gid, size, major, minor, target of a link] */
CALL(call_stat_in_root)
{
    struct arguments a;
    int error = 0;
    get_arguments(env, info, &a);
    struct look_task *look = make_look(env, &a, &error);
    if (look == NULL)
        return refused(env, NULL, 0);
    if (error < 0)
        return refused(env, &look->task, error);
    look->follow = get_flag(env, a.at[2]);
    look->task.run = stat_run;
    look->task.value = stat_value_of;
    return run_task(env, &look->task, a.at[3], a.at[4], NULL, NULL);
}

struct pieces_task {
    struct task task;
    int root;
    struct reader pieces;
    struct writer bytes;
};

static int pieces_run(struct task *task)
{
    struct pieces_task *pieces = (struct pieces_task *)task;
    return read_pieces(pieces->root, pieces->pieces, pieces->bytes, task->cancel, &task->fault);
}

static void pieces_release(struct task *task)
{
    close_fd(&((struct pieces_task *)task)->root);
}

/* readPieces(root, pieces, buffer, cancel?, callback?): 0 */
CALL(call_read_pieces)
{
    struct arguments a;
    int64_t root;
    uint8_t *records, *bytes;
    size_t count, length;
    get_arguments(env, info, &a);
    struct pieces_task *pieces = calloc(1, sizeof *pieces);
    if (pieces == NULL)
        return refused(env, NULL, 0);
    pieces->root = -1;
    pieces->task.run = pieces_run;
    pieces->task.release = pieces_release;
    if (get_integer(env, a.at[0], &root) || get_bytes(env, a.at[1], &records, &count) ||
        get_bytes(env, a.at[2], &bytes, &length))
        return refused(env, &pieces->task, -EINVAL);
    pieces->root = fcntl((int)root, F_DUPFD_CLOEXEC, 3);
    if (pieces->root < 0)
        return refused(env, &pieces->task, -errno);
    pieces->pieces = (struct reader){.at = records, .end = records + count};
    pieces->bytes = (struct writer){.at = bytes, .end = bytes + length};
    return run_task(env, &pieces->task, a.at[3], a.at[4], a.at[1], a.at[2]);
}
