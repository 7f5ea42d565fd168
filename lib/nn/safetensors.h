/* The safetensors file format, read strictly and written. Knows nothing of the backend. */
#ifndef IP_SAFETENSORS_H
#define IP_SAFETENSORS_H

#include "core.h"
#include <jansson.h>

typedef struct ip_st_entry {
    const char *name, *dtype; /* "F32", "F16", "BF16", "F64", "I64" ... */
    int32_t rank;
    int64_t shape[8];
    const uint8_t *bytes;
    size_t size;
} ip_st_entry;

/* A parsed file; entries point into the bytes given, which must outlive it. */
typedef struct ip_safetensors {
    json_t *header;
    size_t count;
    ip_st_entry *entries; /* in the order of their bytes */
} ip_safetensors;

/* Checks everything before anything is used: lengths, JSON, types, shapes, and that the tensors' ranges fill the file without gap
 * or overlap. IPOS_ERR_FORMAT with what was wrong. Free with ip_st_free (also a {0} one). */
ipos_status ip_st_parse(const void *bytes, size_t size, ip_safetensors *out);
void ip_st_free(ip_safetensors *file);
const ip_st_entry *ip_st_find(const ip_safetensors *file, const char *name); /* NULL: no such tensor */
const char *ip_st_metadata(const ip_safetensors *file, const char *key);     /* NULL: no such text */

/* Writes F32 tensors in the order given. metadata: an object of texts, may be NULL; borrowed. The header is padded so that the first
 * tensor starts on a multiple of 64. *bytes is freed with ip_free. */
typedef struct ip_st_source {
    const char *name;
    int32_t rank;
    int64_t shape[8];
} ip_st_source;
/* fill(user, index, values, count) writes tensor index into place. */
ipos_status ip_st_write(const ip_st_source *tensors, size_t count, const json_t *metadata,
    ipos_status (*fill)(void *user, size_t index, float *values, int64_t count), void *user, void **bytes, size_t *size);

#endif
