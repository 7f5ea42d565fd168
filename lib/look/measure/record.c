#include "record.h"
#include "text.h"
#include <math.h>

static json_t *reading_json(const ip_reading *reading) {
    json_t *out = json_pack("{s:f, s:I}", "confidence", reading->confidence, "frames", (json_int_t)reading->frames);
    if (out && !ip_measured(reading) && json_object_set_new(out, "reason", json_string(reading->reason)) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static size_t size_of(ip_field_kind kind) {
    return kind == IP_FIELD_REAL ? sizeof(double) : kind == IP_FIELD_INT ? sizeof(int64_t) : kind == IP_FIELD_BOOL ? sizeof(bool) : sizeof(ip_reading);
}

static json_t *value_json(ip_field_kind kind, const void *at) {
    switch (kind) {
    case IP_FIELD_REAL: return json_real(*(const double *)at);
    case IP_FIELD_INT: return json_integer((json_int_t) * (const int64_t *)at);
    case IP_FIELD_BOOL: return json_boolean(*(const bool *)at);
    default: return reading_json(at);
    }
}

static size_t in_use(const ip_field *fields, const ip_field *field, const void *record) {
    if (field->times < 0)
        return field->count;
    int64_t used = *(const int64_t *)((const char *)record + fields[field->times].offset);
    return used < 0 ? 0 : IP_MIN(field->count, (size_t)used);
}

static json_t *field_json(const ip_field *fields, const ip_field *field, const void *record) {
    const char *at = (const char *)record + field->offset;
    if (field->count == 1)
        return value_json(field->kind, at);
    json_t *list = json_array();
    for (size_t i = 0; i < in_use(fields, field, record); i++)
        if (json_array_append_new(list, value_json(field->kind, at + i * size_of(field->kind))) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

json_t *ip_record_json(const ip_field *fields, size_t count, const void *record) {
    json_t *out = json_object();
    for (size_t i = 0; i < count; i++)
        if (json_object_set_new(out, fields[i].name, field_json(fields, &fields[i], record)) != 0) {
            json_decref(out);
            ip_fail(IPOS_ERR_NO_MEMORY, "look: no memory for the JSON of %s", fields[i].name);
            return NULL;
        }
    return out;
}

static bool parse_reading(const json_t *value, ip_reading *out) {
    const json_t *confidence = json_object_get(value, "confidence"), *frames = json_object_get(value, "frames");
    const json_t *reason = json_object_get(value, "reason");
    if (!json_is_number(confidence) || !json_is_integer(frames) || (reason && !json_is_string(reason)))
        return false;
    *out = (ip_reading){.confidence = json_number_value(confidence), .frames = json_integer_value(frames)};
    snprintf(out->reason, sizeof out->reason, "%s", reason ? json_string_value(reason) : "");
    ip_utf8_mend(out->reason, strlen(out->reason)); /* the cut may be within a character */
    return out->confidence >= 0. && out->confidence <= 1. && out->frames >= 0;
}

static bool parse_value(ip_field_kind kind, const json_t *value, void *at) {
    switch (kind) {
    case IP_FIELD_REAL:
        *(double *)at = json_number_value(value);
        return json_is_number(value) && isfinite(*(double *)at);
    case IP_FIELD_INT:
        *(int64_t *)at = json_integer_value(value);
        return json_is_integer(value);
    case IP_FIELD_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value);
    default:
        return parse_reading(value, at);
    }
}

static bool parse_field(const ip_field *fields, const ip_field *field, const json_t *value, void *record) {
    char *at = (char *)record + field->offset;
    if (field->count == 1)
        return value && parse_value(field->kind, value, at);
    if (!json_is_array(value) || json_array_size(value) != in_use(fields, field, record))
        return false;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!parse_value(field->kind, json_array_get(value, i), at + i * size_of(field->kind)))
            return false;
    return true;
}

static bool known(const ip_field *fields, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return true;
    return false;
}

ipos_status ip_record_parse(const ip_field *fields, size_t count, const json_t *value, const char *what, void *record) {
    if (!json_is_object(value))
        return ip_fail(IPOS_ERR_FORMAT, "%s: expected a JSON object", what);
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)value, name, member)
        if (!known(fields, count, name))
            return ip_fail(IPOS_ERR_FORMAT, "%s: unknown member \"%s\"", what, name);
    for (size_t i = 0; i < count; i++) {
        if (!parse_field(fields, &fields[i], json_object_get(value, fields[i].name), record))
            return ip_fail(IPOS_ERR_FORMAT, "%s: member \"%s\" is missing or not what it should be", what, fields[i].name);
        if (fields[i].kind == IP_FIELD_INT && fields[i].count == 1 && *(int64_t *)((char *)record + fields[i].offset) < 0)
            return ip_fail(IPOS_ERR_FORMAT, "%s: member \"%s\" is below 0", what, fields[i].name);
    }
    return IPOS_OK;
}
