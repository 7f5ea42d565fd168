/* The container models are kept in: a header of JSON, then the tensors' bytes, untouched here. */
#ifndef IP_MODEL_HEADER_H
#define IP_MODEL_HEADER_H

#include "core.h"
#include <jansson.h>

#define IP_SAFETENSORS_CARD "interpos.card"

/* Checks the header against the size: length, JSON, types, shape times element size equal to the range, no gaps or overlaps.
 * *header is the parsed object; *data the offset of the first tensor byte. */
ipos_status ip_model_header_parse(const void *bytes, size_t size, json_t **header, size_t *data);
/* A copy with card as "__metadata__"."interpos.card" (other metadata stays), padded so that the tensors begin at a multiple of 64. */
ipos_status ip_model_header_with_card(const void *bytes, size_t size, const char *card, void **out, size_t *out_size);
/* The card's text (ip_free); IPOS_ERR_FORMAT if there is none. */
ipos_status ip_model_header_card(const void *bytes, size_t size, char **card);

#endif
