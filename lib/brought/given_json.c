/* Our own schema of a camera track. */
#include "given_parts.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static ipos_status wrong(const char *key, const char *expected, const json_t *value) {
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    ipos_status status = value ? ip_fail(IPOS_ERR_FORMAT, "camera: %s is %.80s: expected %s", key, text ? text : "?", expected)
                               : ip_fail(IPOS_ERR_FORMAT, "camera: %s is missing: expected %s", key, expected);
    free(text);
    return status;
}

static ipos_status read_number(const json_t *object, const char *key, double least, double most, double otherwise, double *out) {
    const json_t *value = json_object_get(object, key);
    char expected[64];
    *out = otherwise;
    if (!value && !isnan(otherwise))
        return IPOS_OK;
    snprintf(expected, sizeof expected, "a number from %g to %g", least, most);
    *out = json_is_number(value) ? json_number_value(value) : NAN;
    return *out >= least && *out <= most ? IPOS_OK : wrong(key, expected, value);
}

/* Three rows of four numbers (a fourth row 0,0,0,1 may be there): right, up or down, back or front, place. */
static ipos_status read_matrix(const json_t *frame, const char *key, bool behind, ip_pose *pose) {
    static const char expected[] = "three rows of four numbers, camera to world: right, up, back, place";
    const json_t *matrix = json_object_get(frame, "matrix");
    double place[3], r[9];
    if (!json_is_array(matrix) || json_array_size(matrix) < 3 || json_array_size(matrix) > 4)
        return wrong(key, expected, matrix);
    for (size_t row = 0; row < 3; row++) {
        const json_t *line = json_array_get(matrix, row);
        if (!json_is_array(line) || json_array_size(line) != 4)
            return wrong(key, expected, line);
        for (size_t c = 0; c < 4; c++) {
            const json_t *value = json_array_get(line, c);
            double number = json_is_number(value) ? json_number_value(value) : NAN;
            if (!(fabs(number) < 1e9))
                return wrong(key, "finite numbers", line);
            if (c == 3)
                place[row] = number;
            else
                r[3 * c + row] = behind && c ? -number : number; /* ours look along +z with y down */
        }
    }
    if (!ip_given_rotation(r))
        return wrong(key, "a rotation in its first three columns: no scale, no mirror", matrix);
    memcpy(pose->r, r, sizeof r);
    for (int i = 0; i < 3; i++)
        pose->t[i] = -(r[3 * i] * place[0] + r[3 * i + 1] * place[1] + r[3 * i + 2] * place[2]);
    return IPOS_OK;
}

static ipos_status read_frames(const json_t *root, bool behind, ip_given_camera *camera) {
    const json_t *frames = json_object_get(root, "frames");
    size_t room = 0;
    if (!json_is_array(frames))
        return wrong("frames", "a list of {\"number\",\"matrix\"}", frames);
    for (size_t i = 0; i < json_array_size(frames); i++) {
        const json_t *frame = json_array_get(frames, i), *number = json_object_get(frame, "number");
        char key[64];
        ip_pose pose;
        snprintf(key, sizeof key, "frames[%zu].number", i);
        if (!json_is_integer(number))
            return wrong(key, "a whole number", number);
        snprintf(key, sizeof key, "frames[%zu].matrix (frame %lld)", i, (long long)json_integer_value(number));
        IP_TRY(read_matrix(frame, key, behind, &pose));
        double focal;
        IP_TRY(read_number(frame, "focal", .01, 1000, camera->focal, &focal));
        if (fabs(focal / camera->focal - 1) > 1e-3)
            return ip_fail(IPOS_ERR_FORMAT, "camera: frame %lld has a focal length of %g, others %g: a lens that zooms within a shot is not understood; "
                "leave camera away, or give the shot in parts", (long long)json_integer_value(number), focal, camera->focal);
        IP_TRY(ip_given_add(camera, &room, json_integer_value(number), &pose));
    }
    return IPOS_OK;
}

static ipos_status read_root(const json_t *root, ip_given_camera *camera, const char **up) {
    const json_t *version = json_object_get(root, "interpos_camera"), *looks = json_object_get(root, "looks"), *centre = json_object_get(root, "centre");
    const json_t *axis = json_object_get(root, "up");
    static const char *const ups[] = {"y", "-y", "z", "-z"};
    *up = "y";
    if (!json_is_integer(version) || json_integer_value(version) != 1)
        return wrong("interpos_camera", "1, the version of this schema", version);
    for (size_t i = 0; i < IP_COUNT(ups); i++)
        if (axis && json_is_string(axis) && !strcmp(json_string_value(axis), ups[i])) {
            *up = ups[i];
            axis = NULL;
        }
    if (axis)
        return wrong("up", "\"y\", \"-y\", \"z\" or \"-z\"", axis);
    if (looks && (!json_is_string(looks) || (strcmp(json_string_value(looks), "-z") != 0 && strcmp(json_string_value(looks), "+z") != 0)))
        return wrong("looks", "\"-z\" (y up) or \"+z\" (y down)", looks);
    IP_TRY(read_number(root, "metres", 0, 1e6, 1, &camera->metres));
    IP_TRY(read_number(root, "focal", .01, 1000, NAN, &camera->focal));
    for (size_t k = 0; centre && k < 2; k++) {
        const json_t *value = json_array_get(centre, k);
        if (!json_is_number(value) || json_array_size(centre) != 2 || !(fabs(json_number_value(value) - .5) <= 1))
            return wrong("centre", "two numbers, shares of the width and of the height", centre);
        camera->centre[k] = json_number_value(value);
    }
    return read_frames(root, !looks || json_string_value(looks)[0] == '-', camera);
}

ipos_status ip_given_json(const char *text, ip_given_camera *camera, const char **up) {
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return ip_fail(IPOS_ERR_FORMAT, "camera: line %d, column %d: %s", error.line, error.column, error.text);
    const json_t *inner = json_object_get(root, "camera"), *shots = json_object_get(root, "shots");
    if (json_array_size(shots) == 1)
        inner = json_object_get(json_array_get(shots, 0), "camera");
    ipos_status status = read_root(json_is_object(inner) ? inner : root, camera, up);
    json_decref(root);
    return status;
}
