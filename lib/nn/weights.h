/* Parameters in model files and checkpoints. */
#ifndef IP_WEIGHTS_H
#define IP_WEIGHTS_H

#include "nn.h"
#include "safetensors.h"

/* The key under which every file of ours names what its tensors are. */
#define IP_ARCHITECTURE_KEY "interpos.architecture"

/* One set of tensors of the file: the parameters' names with prefix before them. tensors has params->count entries. */
typedef struct ip_weight_set {
    const char *prefix; /* "" for a model */
    ip_tensor *const *tensors;
} ip_weight_set;

/* metadata: object of texts or NULL; borrowed. */
ipos_status ip_weights_save(const ip_params *params, const ip_weight_set *sets, size_t count, const char *architecture,
    const json_t *metadata, void **bytes, size_t *size);
/* The file must be of that architecture (IPOS_ERR_UNSUPPORTED otherwise). */
ipos_status ip_weights_open(const void *bytes, size_t size, const char *architecture, ip_safetensors *out);
/* Sets every tensor from the file, which must hold each with the same shape as F32. */
ipos_status ip_weights_load(const ip_params *params, const ip_safetensors *file, const ip_weight_set *set);

#endif
