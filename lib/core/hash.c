/* SHA-256 through libcrypto. */
#include "core.h"

#include <openssl/evp.h>

struct ip_sha256 {
    EVP_MD_CTX *context;
};

static void release(ip_sha256 *hash)
{
    EVP_MD_CTX_free(hash->context);
    ip_free(hash);
}

ip_sha256 *ip_sha256_new(void)
{
    ip_sha256 *hash = ip_calloc(1, sizeof *hash);
    if (!hash)
        return NULL;
    hash->context = EVP_MD_CTX_new();
    if (!hash->context || EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1) {
        release(hash);
        ip_fail(IPOS_ERR_UNKNOWN, "libcrypto could not start a SHA-256");
        return NULL;
    }
    return hash;
}

bool ip_sha256_add(ip_sha256 *hash, const void *bytes, size_t size)
{
    return EVP_DigestUpdate(hash->context, bytes, size) == 1;
}

bool ip_sha256_end(ip_sha256 *hash, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool ok = hash && EVP_DigestFinal_ex(hash->context, sum, &size) == 1 && size == 32;
    hex[0] = 0;
    for (unsigned i = 0; ok && i < 32; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    if (ok)
        hex[64] = 0;
    if (hash)
        release(hash);
    return ok;
}

bool ip_sha256_of(const void *bytes, size_t size, char hex[65])
{
    ip_sha256 *hash = ip_sha256_new();
    bool ok = hash && ip_sha256_add(hash, bytes, size);
    return ip_sha256_end(hash, hex) && ok;
}
