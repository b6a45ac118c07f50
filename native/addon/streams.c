/* Hashes and decompressions as JavaScript sees them. */
#include "napi.h"

#include "streams.h"

static napi_value bad(napi_env env, int error)
{
    struct fault fault = {.call = "addon"};
    return make_failure(env, error, &fault);
}

static napi_value text_value(napi_env env, const char *text)
{
    napi_value value;
    return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok ? value : NULL;
}

/* digestOpen(algorithm): a hash */
CALL(call_digest_open)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT algorithm = NULL;
    struct digest *digest;
    get_arguments(env, info, &a);
    if (get_text(env, a.at[0], &algorithm))
        return bad(env, -EINVAL);
    int result = digest_open(algorithm, &digest, &fault);
    return result < 0 ? make_failure(env, result, &fault) : make_box(env, BOX_DIGEST, digest);
}

/* digestText(digest): hexadecimal digits */
CALL(call_digest_text)
{
    struct arguments a;
    struct fault fault = {0};
    char text[DIGEST_TEXT];
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], BOX_DIGEST);
    int result = box == NULL ? failed_with(&fault, "addon", EBADF) : digest_text(box->thing, text, &fault);
    return result < 0 ? make_failure(env, result, &fault) : text_value(env, text);
}

struct digest_task {
    struct task task;
    struct digest *digest;
    /* Of its own. */
    int file;
    int64_t offset, end;
    uint8_t *bytes;
    size_t length;
};

static void digest_release(struct task *task)
{
    close_fd(&((struct digest_task *)task)->file);
}

static int write_run(struct task *task)
{
    struct digest_task *digest = (struct digest_task *)task;
    return digest_write(digest->digest, digest->file, digest->bytes, digest->length, digest->offset, &task->fault);
}

static int file_run(struct task *task)
{
    struct digest_task *digest = (struct digest_task *)task;
    return digest_file(digest->digest, digest->file, digest->offset, &digest->end, task->cancel, &task->fault);
}

static napi_value end_value(napi_env env, struct task *task)
{
    return make_number(env, (double)((struct digest_task *)task)->end);
}

/* A task on (digest, fd, offset, …); null for arguments that are no good. */
static struct digest_task *make_digest_task(napi_env env, struct arguments *a, int (*run)(struct task *))
{
    int64_t file;
    struct box *box = open_box(env, a->at[0], BOX_DIGEST);
    struct digest_task *task = box == NULL ? NULL : calloc(1, sizeof *task);
    if (task == NULL)
        return NULL;
    task->digest = box->thing;
    task->task.run = run;
    task->task.release = digest_release;
    task->file = -1;
    if (get_integer(env, a->at[1], &file) == 0 && get_integer(env, a->at[2], &task->offset) == 0)
        task->file = fcntl((int)file, F_DUPFD_CLOEXEC, 3);
    if (task->file >= 0)
        return task;
    free(task);
    return NULL;
}

/* digestWrite(digest, fd, offset, bytes, cancel?, callback?): 0; what was written of a failure is not hashed */
CALL(call_digest_write)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct digest_task *task = make_digest_task(env, &a, write_run);
    if (task == NULL)
        return bad(env, -EBADF);
    if (get_bytes(env, a.at[3], &task->bytes, &task->length)) {
        digest_release(&task->task);
        free(task);
        return bad(env, -EINVAL);
    }
    return run_task(env, &task->task, a.at[4], a.at[5], a.at[0], a.at[3]);
}

/* digestFile(digest, fd, offset, cancel?, callback?): the file's length */
CALL(call_digest_file)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct digest_task *task = make_digest_task(env, &a, file_run);
    if (task == NULL)
        return bad(env, -EBADF);
    task->task.value = end_value;
    return run_task(env, &task->task, a.at[3], a.at[4], a.at[0], NULL);
}

static void close_one(napi_env env, napi_callback_info info, enum box_kind kind)
{
    struct arguments a;
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], kind);
    if (box != NULL)
        close_box(box);
}

CALL(call_digest_close)
{
    close_one(env, info, BOX_DIGEST);
    return NULL;
}

/* expandOpen(format): a decompression */
CALL(call_expand_open)
{
    struct arguments a;
    struct fault fault = {0};
    AUTO_TEXT format = NULL;
    struct expand *expand;
    get_arguments(env, info, &a);
    if (get_text(env, a.at[0], &format))
        return bad(env, -EINVAL);
    int result = expand_open(format, &expand, &fault);
    return result < 0 ? make_failure(env, result, &fault) : make_box(env, BOX_EXPAND, expand);
}

struct expand_task {
    struct task task;
    struct expand *expand;
    struct expand_step step;
};

static int expand_task_run(struct task *task)
{
    struct expand_task *expand = (struct expand_task *)task;
    return expand_run(expand->expand, &expand->step, task->cancel, &task->fault);
}

static napi_value step_value(napi_env env, struct task *task)
{
    const struct expand_step *step = &((struct expand_task *)task)->step;
    napi_value array;
    if (napi_create_array_with_length(env, 2, &array) != napi_ok)
        return NULL;
    napi_set_element(env, array, 0, make_number(env, (double)step->consumed));
    napi_set_element(env, array, 1, make_number(env, (double)step->produced));
    return array;
}

/* expandRun(expand, input, last, output, cancel?, callback?): [bytes taken, bytes given] */
CALL(call_expand_run)
{
    struct arguments a;
    uint8_t *input;
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], BOX_EXPAND);
    struct expand_task *task = box == NULL ? NULL : calloc(1, sizeof *task);
    if (task == NULL)
        return bad(env, -EBADF);
    task->expand = box->thing;
    task->task.run = expand_task_run;
    task->task.value = step_value;
    task->step.last = get_flag(env, a.at[2]);
    if (get_bytes(env, a.at[1], &input, &task->step.input_length) ||
        get_bytes(env, a.at[3], &task->step.output, &task->step.output_length)) {
        free(task);
        return bad(env, -EINVAL);
    }
    task->step.input = input;
    return run_task(env, &task->task, a.at[4], a.at[5], hold_together(env, a.at, 2), a.at[3]);
}

/* expandDigest(expand): hexadecimal digits of the sha256 of all that came out */
CALL(call_expand_digest)
{
    struct arguments a;
    struct fault fault = {0};
    char text[DIGEST_TEXT];
    get_arguments(env, info, &a);
    struct box *box = open_box(env, a.at[0], BOX_EXPAND);
    int result = box == NULL ? failed_with(&fault, "addon", EBADF) : expand_digest(box->thing, text, &fault);
    return result < 0 ? make_failure(env, result, &fault) : text_value(env, text);
}

CALL(call_expand_close)
{
    close_one(env, info, BOX_EXPAND);
    return NULL;
}
