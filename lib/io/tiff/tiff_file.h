/* Inside the TIFF module. */
#ifndef IP_TIFF_FILE_H
#define IP_TIFF_FILE_H

#include "tiff_module.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

/* How a page's stored samples become ours. */
typedef enum ip_tiff_way {
    IP_TIFF_SAMPLES, /* as they are, small depths widened */
    IP_TIFF_PALETTE,
    IP_TIFF_RGBA,    /* libtiff's own conversion to 8-bit RGB(A): YCbCr that is not JPEG, CMYK, Lab, old JPEG */
    IP_TIFF_CMYK,    /* 16-bit C,M,Y,K to R,G,B, which libtiff converts at 8 bits only */
    IP_TIFF_LOGLUV,  /* XYZ floats to Rec.709 primaries */
} ip_tiff_way;

typedef struct ip_tiff_file {
    TIFF *tif;
    ip_tiff_stream stream;
    uint64_t at, limit;
    char said[IP_TIFF_TEXT]; /* libtiff's first error since it was cleared */
    ip_tiff_page page;
    ip_tiff_way way;
    uint32_t bits, samples;  /* stored */
    bool invert;             /* min-is-white */
    char **names;            /* of fields merged for unknown tags; libtiff keeps the pointers */
    size_t name_count;
} ip_tiff_file;

ipos_status ip_tiff_fail(ip_tiff_file *file, char *text, ipos_status status, const char *what);
ipos_status ip_tiff_describe(ip_tiff_file *file, char *text);
void ip_tiff_tags(void *file, ip_tiff_tag_fn each, void *user);
ipos_status ip_tiff_put_tags(ip_tiff_file *file, const ip_tiff_tag *tags, size_t count, char *text);
ipos_status ip_tiff_read(void *file, const ipos_plane *planes, ip_tiff_stop_fn stop, void *user, char *text);
ipos_status ip_tiff_add(void *file, const ip_tiff_page *page, const ipos_plane *planes, const ip_tiff_tag *tags, size_t tag_count,
    uint32_t number, char *text);
/* n samples of bits each, the first one at bit position from and step samples apart, into plane samples of type. */
void ip_tiff_widen(
    const uint8_t *row, uint64_t first, uint32_t step, uint32_t n, const ip_tiff_file *file, uint8_t *to, ptrdiff_t stride);

#endif
