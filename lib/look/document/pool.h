/* One record out of those of several shots or clips. */
#ifndef IP_LOOK_POOL_H
#define IP_LOOK_POOL_H

#include "core.h"
#include <jansson.h>

/* Measurements of one kind as their ip_*_json give them, at least one. Numbers: the median, every record weighed by its confidence (its
 * "reading", its own, or those of the records around it); whole numbers are counts and summed, except sizes; confidences: their
 * weighted mean. Records that measured nothing weigh nothing; where none did, *out is the first with its reason. Paths over time are left
 * out where there are several records. IPOS_ERR_NO_MEMORY. */
ipos_status ip_look_pool(const json_t *const *records, size_t count, json_t **out);

#endif
