/* Measurements to JSON and back by a table of their fields, so that both directions hold the same. */
#ifndef IP_LOOK_RECORD_H
#define IP_LOOK_RECORD_H

#include "source.h"
#include <jansson.h>
#include <stddef.h>

typedef enum ip_field_kind { IP_FIELD_REAL, IP_FIELD_INT, IP_FIELD_BOOL, IP_FIELD_READING } ip_field_kind;

/* double, int64_t, bool or ip_reading members; count over 1: an array of that many; times: index of the int64_t field that says how
 * many of count are in use, -1: all. */
typedef struct ip_field {
    const char *name;
    ip_field_kind kind;
    size_t offset, count;
    int times;
} ip_field;
#define IP_FIELD(type, member, kind) {#member, kind, offsetof(type, member), 1, -1}
#define IP_FIELDS(type, member, kind, n) {#member, kind, offsetof(type, member), n, -1}
#define IP_FIELDS_USED(type, member, kind, n, times) {#member, kind, offsetof(type, member), n, times}

/* A reading is {"confidence", "frames"}, and "reason" where there is no measurement. The caller owns the value; NULL: out of memory. */
json_t *ip_record_json(const ip_field *fields, size_t count, const void *record);
/* Fills record. Unknown names, missing ones, values of another type or not finite: IPOS_ERR_FORMAT, the text says which; record is then
 * undefined. what: named in the text. */
ipos_status ip_record_parse(const ip_field *fields, size_t count, const json_t *value, const char *what, void *record);

#endif
