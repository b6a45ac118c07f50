/* Decompression by the zlib and the zstd that are in Node, without a stream of its own for every piece. */
#include "streams.h"

#include "nodelibraries.h"

struct expand {
    enum { FORMAT_NONE, FORMAT_GZIP, FORMAT_ZSTD } format;
    struct digest *digest;
    struct z_stream_s zlib;
    struct ZSTD_DCtx_s *zstd;
    /* Nothing is missing: a member or frame has ended and none has begun. */
    bool complete;
    /* Of gzip: a padding of zeros has begun, and what follows means nothing. */
    bool padded;
};

static int begin_gzip(struct expand *expand, struct fault *fault)
{
    if (!inflateInit2_ || !inflate || !inflateReset || !inflateEnd)
        return failed_with(fault, "zlib of this Node", ENOSYS);
    /* zlib looks at the first digit of the version. */
    if (inflateInit2_(&expand->zlib, GZIP_WINDOW, "1", sizeof expand->zlib) != Z_OK)
        return failed_with(fault, "inflateInit2", ENOMEM);
    expand->format = FORMAT_GZIP;
    return 0;
}

static int begin_zstd(struct expand *expand, struct fault *fault)
{
    if (!ZSTD_createDCtx || !ZSTD_freeDCtx || !ZSTD_decompressStream || !ZSTD_isError || !ZSTD_getErrorName)
        return failed_with(fault, "zstd of this Node", ENOSYS);
    expand->zstd = ZSTD_createDCtx();
    if (expand->zstd == NULL)
        return failed_with(fault, "ZSTD_createDCtx", ENOMEM);
    expand->format = FORMAT_ZSTD;
    return 0;
}

int expand_open(const char *format, struct expand **expand, struct fault *fault)
{
    struct expand *made = calloc(1, sizeof *made);
    if (made == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    made->complete = strcmp(format, "none") == 0;
    int result = digest_open("sha256", &made->digest, fault);
    if (result == 0 && strcmp(format, "gzip") == 0)
        result = begin_gzip(made, fault);
    else if (result == 0 && strcmp(format, "zstd") == 0)
        result = begin_zstd(made, fault);
    else if (result == 0 && !made->complete)
        result = failed_with(fault, "expand", EINVAL);
    if (result < 0)
        expand_close(made);
    else
        *expand = made;
    return result;
}

static int damaged(struct fault *fault, const char *call, const char *how)
{
    size_t length = strnlen(how, sizeof fault->detail - 1);
    memcpy(fault->detail, how, length);
    fault->detail[length] = 0;
    return failed_with(fault, call, EBADMSG);
}

static int run_none(struct expand_step *step)
{
    step->consumed = step->produced = step->input_length < step->output_length ? step->input_length : step->output_length;
    memcpy(step->output, step->input, step->produced);
    return 0;
}

/* Members may follow one another, and zeros the last one. */
static int run_gzip(struct expand *expand, struct expand_step *step, struct fault *fault)
{
    struct z_stream_s *zlib = &expand->zlib;
    zlib->next_in = step->input;
    zlib->avail_in = (unsigned)step->input_length;
    zlib->next_out = step->output;
    zlib->avail_out = (unsigned)step->output_length;
    while (!expand->padded && zlib->avail_out > 0) {
        if (expand->complete) {
            if (zlib->avail_in == 0)
                break;
            expand->padded = *zlib->next_in == 0;
            if (expand->padded || inflateReset(zlib) != Z_OK)
                break;
        }
        int result = inflate(zlib, Z_NO_FLUSH);
        expand->complete = result == Z_STREAM_END;
        if (result == Z_BUF_ERROR)
            break;
        if (result == Z_MEM_ERROR)
            return failed_with(fault, "inflate", ENOMEM);
        if (result != Z_OK && result != Z_STREAM_END)
            return damaged(fault, "gzip", zlib->msg == NULL ? "damaged" : zlib->msg);
    }
    if (expand->padded)
        zlib->avail_in = 0;
    step->consumed = step->input_length - zlib->avail_in;
    step->produced = step->output_length - zlib->avail_out;
    return 0;
}

static int run_zstd(struct expand *expand, struct expand_step *step, struct fault *fault)
{
    struct zstd_input input = {.src = step->input, .size = step->input_length};
    struct zstd_output output = {.dst = step->output, .size = step->output_length};
    for (;;) {
        size_t before = output.pos;
        if (expand->complete && input.pos == input.size)
            break;
        size_t wanted = ZSTD_decompressStream(expand->zstd, &output, &input);
        if (ZSTD_isError(wanted))
            return damaged(fault, "zstd", ZSTD_getErrorName(wanted));
        expand->complete = wanted == 0;
        /* With room left everything that came has been given out. */
        if (output.pos == output.size || (input.pos == input.size && (wanted == 0 || output.pos == before)))
            break;
    }
    step->consumed = input.pos;
    step->produced = output.pos;
    return 0;
}

int expand_run(struct expand *expand, struct expand_step *step, cancel_flag cancel, struct fault *fault)
{
    if (cancelled(cancel))
        return failed_with(fault, "expand", ECANCELED);
    if (step->input_length > UINT32_MAX || step->output_length > UINT32_MAX)
        return failed_with(fault, "expand", EINVAL);
    int result = expand->format == FORMAT_GZIP   ? run_gzip(expand, step, fault)
                 : expand->format == FORMAT_ZSTD ? run_zstd(expand, step, fault)
                                                 : run_none(step);
    if (result < 0)
        return result;
    bool through = step->consumed == step->input_length && step->produced < step->output_length;
    if (step->last && through && !expand->complete)
        return damaged(fault, expand->format == FORMAT_GZIP ? "gzip" : "zstd", "unexpected end of file");
    return digest_add(expand->digest, step->output, step->produced, fault);
}

int expand_digest(const struct expand *expand, char text[DIGEST_TEXT], struct fault *fault)
{
    return digest_text(expand->digest, text, fault);
}

void expand_close(struct expand *expand)
{
    if (expand->format == FORMAT_GZIP)
        inflateEnd(&expand->zlib);
    if (expand->zstd != NULL)
        ZSTD_freeDCtx(expand->zstd);
    if (expand->digest != NULL)
        digest_close(expand->digest);
    free(expand);
}
