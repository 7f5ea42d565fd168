/* SHA-256 through libcrypto's own SHA256 functions. The EVP layer would load a provider and read OpenSSL's configuration on
 * its first use (2.3 MB resident against 0.4, and an exit handler in the host) for the same code and speed. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core.h"

#include <openssl/sha.h>

struct ip_sha256 {
    SHA256_CTX context;
};

ip_sha256 *ip_sha256_new(void)
{
    ip_sha256 *hash = ip_calloc(1, sizeof *hash);
    if (hash)
        SHA256_Init(&hash->context);
    return hash;
}

bool ip_sha256_add(ip_sha256 *hash, const void *bytes, size_t size)
{
    return SHA256_Update(&hash->context, bytes, size) == 1;
}

bool ip_sha256_end(ip_sha256 *hash, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[SHA256_DIGEST_LENGTH];
    bool ok = hash && SHA256_Final(sum, &hash->context) == 1;
    hex[0] = 0;
    if (ok) {
        for (size_t i = 0; i < sizeof sum; i++) {
            hex[2 * i] = digits[sum[i] >> 4];
            hex[2 * i + 1] = digits[sum[i] & 15];
        }
        hex[64] = 0;
    }
    ip_free(hash);
    return ok;
}

bool ip_sha256_of(const void *bytes, size_t size, char hex[65])
{
    ip_sha256 *hash = ip_sha256_new();
    bool ok = hash && ip_sha256_add(hash, bytes, size);
    return ip_sha256_end(hash, hex) && ok;
}
