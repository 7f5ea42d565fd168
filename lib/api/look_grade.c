/* A match as texts for a colourist. */
#include "api_look.h"
#include "shot_match.h"

static ipos_status shot_of(const json_t *details, size_t shot, const json_t **out)
{
    const json_t *shots = json_object_get(details, "shots");

    if (!json_is_array(shots))
        return ip_fail(IPOS_ERR_FORMAT, "details: no list \"shots\", expected what a result of the operation continuity says of itself");
    if (shot >= json_array_size(shots))
        return ip_fail(IPOS_ERR_NOT_FOUND, "details: shot %zu, there are %zu, counted from 0", shot, json_array_size(shots));
    *out = json_array_get(shots, shot);
    return json_object_get(*out, "match") ? IPOS_OK : ip_fail(IPOS_ERR_NOT_FOUND, "details: shot %zu was not matched: only mode match makes a grade", shot);
}

static ipos_status write_grade(const json_t *shot, const char *format, char **text)
{
    ip_shot_match match;
    char name[64], said[160];

    IP_TRY(ip_shot_match_parse(json_object_get(shot, "match"), &match));
    snprintf(name, sizeof name, "frames %lld-%lld", (long long)json_integer_value(json_object_get(shot, "first")),
        (long long)json_integer_value(json_object_get(shot, "last")));
    snprintf(said, sizeof said, "%s; CIEDE2000 %.2f from the grade it stands for", match.registered ? "matched" : "a suggestion", match.cdl_error);
    *text = strcmp(format, "cdl") == 0 ? ip_cdl_text(&match.cdl, match.encoding, name, said) : ip_grade_cube(&match.grade, match.encoding, name);
    return *text ? IPOS_OK : ip_no_memory(4096);
}

ipos_status ipos_look_grade(const char *details, size_t shot, const char *format, char **text)
{
    const json_t *found = NULL;
    json_error_t error;

    IP_OUT(text);
    IP_TRY(ip_check_text(details, "details"));
    IP_TRY(ip_check_text(format, "format"));
    if (strcmp(format, "cdl") != 0 && strcmp(format, "cube") != 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "format: \"%s\", expected cdl or cube", format);
    json_t *all = json_loads(details, 0, &error);
    if (!all)
        return ip_fail(IPOS_ERR_FORMAT, "details: not JSON (line %d, column %d: %s)", error.line, error.column, error.text);
    ipos_status status = shot_of(all, shot, &found);
    if (status == IPOS_OK)
        status = write_grade(found, format, text);
    json_decref(all);
    return status;
}
