/* A model for wires: the detector and the fusion network of fills, in one file. */
#ifndef IP_WIRE_MODEL_H
#define IP_WIRE_MODEL_H

#include "fuse.h"
#include "wire_net.h"

#define IP_WIRE_MODEL_ARCHITECTURE "interpos.wires.3"

typedef struct ip_wire_model {
    ip_wire_net *net;
    ip_fuse *fuse;
} ip_wire_model;

ipos_status ip_wire_model_new(const ip_backend_v1 *b, int32_t device, uint64_t seed, ip_wire_model *out);
ipos_status ip_wire_model_load(const ip_backend_v1 *b, int32_t device, const void *bytes, size_t size, ip_wire_model *out);
ipos_status ip_wire_model_save(const ip_wire_model *model, void **bytes, size_t *size); /* *bytes is freed with ip_free */
void ip_wire_model_free(ip_wire_model *model);
int64_t ip_wire_model_size(const ip_wire_model *model); /* numbers in both networks */

#endif
