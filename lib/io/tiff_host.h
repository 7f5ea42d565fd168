/* The library's side of TIFF: tiff.c reads, tiff_write.c writes. */
#ifndef IP_TIFF_HOST_H
#define IP_TIFF_HOST_H

#include "attribute_pack.h"
#include "format.h"
#include "tiff/tiff_module.h"

enum { IP_TIFF_PACK_TAG = 65310 }; /* attribute_pack.h */

ipos_status ip_tiff_load(const ip_tiff_module **out);
ipos_status ip_tiff_write(ipos_frame *const *frames, size_t count, const ipos_write_config *config, ip_output *out);

#endif
