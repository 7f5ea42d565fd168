/* What png.c, png_chunks.c and png_write.c share. */
#ifndef IP_PNG_PARTS_H
#define IP_PNG_PARTS_H

#include "format.h"

/* The chunks of a file, gathered without libpng: it then sees only IHDR, PLTE, tRNS, IDAT and IEND, and no text or profile is ever
 * inflated. */
typedef struct ip_png_layout {
    uint32_t width, height;
    uint8_t depth, color_type, interlace;
    bool has_alpha;       /* alpha channel or tRNS */
    bool color;           /* RGB or palette */
    uint64_t idat_bytes;  /* compressed pixels there are */
} ip_png_layout;

/* Fills header (attributes "png:XXXX", encoding, channels, windows) and layout. */
ipos_status ip_png_scan(const ip_input *in, ip_png_layout *layout, ip_image_header *header);
/* Encoding that cICP, sRGB and gAMA chunks name; "" if none does, or if an ICC profile has the say. get hands out a chunk's
 * bytes. */
typedef const uint8_t *(*ip_png_chunk_fn)(const void *user, const char *chunk, size_t *size);
const char *ip_png_encoding(ip_png_chunk_fn get, const void *user);
void ip_png_chromaticities(const uint8_t *chrm, float xy[8]); /* cHRM's 32 bytes in OpenEXR's order */
uint32_t ip_png_u32(const uint8_t *bytes);

ipos_status ip_png_write(ipos_frame *const *frames, size_t count, const ipos_write_config *config, ip_output *out);

#endif
