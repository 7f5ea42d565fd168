/* The door between backend.c and the C++ of this folder. */
#ifndef IP_TORCH_BACKEND_H
#define IP_TORCH_BACKEND_H

#include "backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* fail keeps the text for the calling thread and returns status. Returns NULL only where the running library is another minor
 * than the one this was built for. */
const ip_backend_v1 *ip_torch_backend(int32_t (*fail)(int32_t status, const char *text));

#ifdef __cplusplus
}
#endif
#endif
