/* The grain model as JSON. */
#include "grain_internal.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static json_t *numbers(const float *values, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(values[i]));
    return list;
}

static json_t *bins_json(const ip_grain *grain) {
    json_t *list = json_array();
    for (int b = 0; b < IP_GRAIN_BINS; b++) {
        const ip_grain_bin *bin = &grain->bins[b];
        json_array_append_new(list, json_pack("{s:f, s:o, s:f, s:i}", "level", (double)bin->level, "variance", numbers(bin->variance, 3), "confidence",
            (double)bin->confidence, "blocks", bin->blocks));
    }
    return list;
}

static json_t *lags_json(const ip_grain *grain) {
    json_t *list = json_array();
    for (int c = 0; c < 3; c++) {
        json_t *rows = json_array();
        for (int y = 0; y < IP_GRAIN_LAGS; y++)
            json_array_append_new(rows, numbers(grain->autocorrelation[c][y], IP_GRAIN_LAGS));
        json_array_append_new(list, rows);
    }
    return list;
}

ipos_status ip_grain_to_json(const ip_grain *grain, char **text) {
    *text = NULL;
    json_t *channels = json_array();
    for (int c = 0; c < 3; c++)
        json_array_append_new(channels, numbers(grain->channels[c], 3));
    json_t *root = json_pack("{s:i, s:b, s:s, s:f, s:i, s:o, s:o, s:f, s:o, s:f, s:f, s:f}", "grain", 1, "measurable", (int)grain->measurable, "reason",
        grain->reason, "confidence", (double)grain->confidence, "frames", grain->frames, "bins", bins_json(grain), "autocorrelation", lags_json(grain),
        "lag_error", (double)grain->lag_error, "channels", channels, "temporal", (double)grain->temporal, "dispersion", (double)grain->dispersion,
        "unsteady", (double)grain->unsteady);
    char *made = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    if (!made)
        return ip_fail(IPOS_ERR_NO_MEMORY, "grain: JSON could not be made: out of memory, or a number is not finite");
    *text = ip_strdup(made);
    free(made);
    return *text ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

static ipos_status wrong(const char *name, const char *expected) {
    return ip_fail(IPOS_ERR_FORMAT, "grain JSON: \"%s\" is missing or no %s", name, expected);
}

static ipos_status read_real(const json_t *object, const char *name, float *out) {
    const json_t *value = json_object_get(object, name);
    if (!json_is_number(value) || !isfinite((float)json_number_value(value)))
        return wrong(name, "finite number");
    *out = (float)json_number_value(value);
    return IPOS_OK;
}

static ipos_status read_int(const json_t *object, const char *name, int *out) {
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT32_MAX)
        return wrong(name, "count");
    *out = (int)json_integer_value(value);
    return IPOS_OK;
}

static ipos_status read_numbers(const json_t *list, const char *name, float *out, size_t n) {
    if (!json_is_array(list) || json_array_size(list) != n)
        return wrong(name, "list of the right length");
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_number(value) || !isfinite((float)json_number_value(value)))
            return wrong(name, "list of finite numbers");
        out[i] = (float)json_number_value(value);
    }
    return IPOS_OK;
}

static ipos_status read_bins(const json_t *list, ip_grain *out) {
    if (!json_is_array(list) || json_array_size(list) != IP_GRAIN_BINS)
        return wrong("bins", "list of 10");
    for (size_t b = 0; b < IP_GRAIN_BINS; b++) {
        const json_t *bin = json_array_get(list, b);
        IP_TRY(read_real(bin, "level", &out->bins[b].level));
        IP_TRY(read_real(bin, "confidence", &out->bins[b].confidence));
        IP_TRY(read_int(bin, "blocks", &out->bins[b].blocks));
        IP_TRY(read_numbers(json_object_get(bin, "variance"), "variance", out->bins[b].variance, 3));
    }
    return IPOS_OK;
}

static ipos_status read_matrices(const json_t *root, ip_grain *out) {
    const json_t *lags = json_object_get(root, "autocorrelation"), *channels = json_object_get(root, "channels");
    if (json_array_size(lags) != 3 || json_array_size(channels) != 3)
        return wrong(json_array_size(lags) != 3 ? "autocorrelation" : "channels", "list of 3");
    for (size_t c = 0; c < 3; c++) {
        const json_t *rows = json_array_get(lags, c);
        if (json_array_size(rows) != IP_GRAIN_LAGS)
            return wrong("autocorrelation", "list of 11x11 lags");
        for (size_t y = 0; y < IP_GRAIN_LAGS; y++)
            IP_TRY(read_numbers(json_array_get(rows, y), "autocorrelation", out->autocorrelation[c][y], IP_GRAIN_LAGS));
        IP_TRY(read_numbers(json_array_get(channels, c), "channels", out->channels[c], 3));
    }
    return IPOS_OK;
}

static ipos_status read_all(const json_t *root, ip_grain *out) {
    int version = 0;
    const char *reason = json_string_value(json_object_get(root, "reason"));
    IP_TRY(read_int(root, "grain", &version));
    if (version != 1)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "grain JSON: version %d, this build reads 1", version);
    if (!json_is_boolean(json_object_get(root, "measurable")) || !reason)
        return wrong(reason ? "measurable" : "reason", reason ? "boolean" : "text");
    out->measurable = json_is_true(json_object_get(root, "measurable"));
    snprintf(out->reason, sizeof out->reason, "%s", reason);
    IP_TRY(read_real(root, "confidence", &out->confidence));
    IP_TRY(read_int(root, "frames", &out->frames));
    IP_TRY(read_bins(json_object_get(root, "bins"), out));
    IP_TRY(read_matrices(root, out));
    IP_TRY(read_real(root, "lag_error", &out->lag_error));
    IP_TRY(read_real(root, "temporal", &out->temporal));
    IP_TRY(read_real(root, "dispersion", &out->dispersion));
    IP_TRY(read_real(root, "unsteady", &out->unsteady));
    return out->measurable ? ip_grain_check(out) : IPOS_OK;
}

ipos_status ip_grain_from_json(const char *text, ip_grain *out) {
    json_error_t error;
    *out = (ip_grain){0};
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return ip_fail(IPOS_ERR_FORMAT, "grain JSON: not a JSON object (line %d, column %d: %s)", error.line, error.column, error.text);
    }
    ipos_status status = read_all(root, out);
    json_decref(root);
    if (status == IPOS_ERR_ARGUMENT)
        status = IPOS_ERR_FORMAT;
    if (status != IPOS_OK)
        *out = (ip_grain){0};
    return status;
}
