/* SHA-2 by the OpenSSL that is in Node, which uses what the processor has for it. */
#include "streams.h"

#include "nodelibraries.h"

struct digest {
    struct evp_md_ctx_st *context;
};

static bool is_there(void)
{
    return EVP_MD_CTX_new && EVP_MD_CTX_free && EVP_MD_CTX_copy_ex && EVP_sha256 && EVP_sha512 && EVP_DigestInit_ex &&
           EVP_DigestUpdate && EVP_DigestFinal_ex;
}

int digest_open(const char *algorithm, struct digest **digest, struct fault *fault)
{
    bool short_one = strcmp(algorithm, "sha256") == 0;
    if (!short_one && strcmp(algorithm, "sha512") != 0)
        return failed_with(fault, "digest", EINVAL);
    if (!is_there())
        return failed_with(fault, "OpenSSL of this Node", ENOSYS);
    struct digest *made = calloc(1, sizeof *made);
    if (made == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    made->context = EVP_MD_CTX_new();
    if (made->context == NULL || !EVP_DigestInit_ex(made->context, short_one ? EVP_sha256() : EVP_sha512(), NULL)) {
        digest_close(made);
        return failed_with(fault, "EVP_DigestInit_ex", ENOTSUP);
    }
    *digest = made;
    return 0;
}

int digest_add(struct digest *digest, const void *bytes, size_t length, struct fault *fault)
{
    return EVP_DigestUpdate(digest->context, bytes, length) ? 0 : failed_with(fault, "EVP_DigestUpdate", EIO);
}

int digest_text(const struct digest *digest, char text[DIGEST_TEXT], struct fault *fault)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[(DIGEST_TEXT - 1) / 2];
    unsigned length = 0;
    struct evp_md_ctx_st *copy = EVP_MD_CTX_new();
    bool done = copy != NULL && EVP_MD_CTX_copy_ex(copy, digest->context) && EVP_DigestFinal_ex(copy, bytes, &length);
    EVP_MD_CTX_free(copy);
    if (!done)
        return failed_with(fault, "EVP_DigestFinal_ex", EIO);
    for (unsigned at = 0; at < length; at++) {
        text[2 * at] = digits[bytes[at] >> 4];
        text[2 * at + 1] = digits[bytes[at] & 15];
    }
    text[2 * length] = 0;
    return 0;
}

void digest_close(struct digest *digest)
{
    if (digest->context != NULL)
        EVP_MD_CTX_free(digest->context);
    free(digest);
}

int digest_write(struct digest *digest, int file, const uint8_t *bytes, size_t length, int64_t offset,
                 struct fault *fault)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = pwrite(file, bytes + done, length - done, offset + (int64_t)done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return failed_with(fault, "write", count < 0 ? errno : EIO);
        done += (size_t)count;
    }
    return digest_add(digest, bytes, length, fault);
}

int digest_file(struct digest *digest, int file, int64_t offset, int64_t *end, cancel_flag cancel, struct fault *fault)
{
    const size_t room = 256 << 10;
    AUTO_TEXT bytes = malloc(room);
    if (bytes == NULL)
        return failed_with(fault, "malloc", ENOMEM);
    for (*end = offset;;) {
        if (cancelled(cancel))
            return failed_with(fault, "read", ECANCELED);
        ssize_t count = pread(file, bytes, room, *end);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count == 0 ? 0 : failed(fault, "read");
        int result = digest_add(digest, bytes, (size_t)count, fault);
        if (result < 0)
            return result;
        *end += count;
    }
}
