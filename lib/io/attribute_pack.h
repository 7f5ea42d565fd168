/* What a format has no place for, in one private block of it: PNG's chunk ipAt, TIFF's tag 65310. Written only where there is
 * something to keep: attributes of other formats and OpenEXR's types, an encoding the file cannot say, names of further channels.
 * Layout, little-endian, repeated: name size u32, name, type size u32, type, value size u32, value. */
#ifndef IP_ATTRIBUTE_PACK_H
#define IP_ATTRIBUTE_PACK_H

#include "format.h"

#define IP_PACK_ENCODING "interpos:encoding"
#define IP_PACK_CHANNELS "interpos:channels" /* names in the file's order, comma-separated */

/* Adds every attribute of frame but those whose type begins with own ("png:") or whose name is in the comma-separated list
 * except. */
void ip_pack_attributes(const ipos_frame *frame, const char *own, const char *except, ip_buffer *out);
void ip_pack_add(ip_buffer *out, const char *name, const char *type, const void *bytes, size_t size);
/* Sets what a block holds on header; what is damaged is left out. */
ipos_status ip_unpack_attributes(const void *bytes, size_t size, ip_image_header *header);

#endif
