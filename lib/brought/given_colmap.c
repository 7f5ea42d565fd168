/* COLMAP's cameras.txt and images.txt. */
#include "given_parts.h"

#include <math.h>

enum { LENSES = 64, WORDS = 16 };

typedef struct lens {
    int64_t id;
    double focal, centre[2];
} lens;

typedef struct lenses {
    lens at[LENSES];
    size_t count;
    bool bent; /* a model with distortion */
} lenses;

/* Cuts the next line of *at into words, at most WORDS (its last takes no rest); NULL-terminated copies live in room. false: no more lines. */
typedef struct line {
    char room[512];
    char *word[WORDS];
    size_t count, number;
} line;

static bool next_line(const char **at, line *l) {
    const char *end = strchrnul(*at, '\n');
    size_t length = IP_MIN((size_t)(end - *at), sizeof l->room - 1);
    if (!**at)
        return false;
    memcpy(l->room, *at, length);
    l->room[length] = 0;
    *at = *end ? end + 1 : end;
    l->number++;
    l->count = 0;
    for (char *p = l->room; *p && l->count < WORDS;) {
        p += strspn(p, " \t\r");
        if (!*p)
            break;
        l->word[l->count++] = p;
        p += strcspn(p, " \t\r");
        if (*p)
            *p++ = 0;
    }
    return true;
}

static ipos_status real_at(const line *l, size_t index, const char *file, const char *name, double *out) {
    if (index >= l->count)
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: %s is missing", file, l->number, name);
    if (!ip_parse_real(l->word[index], out) || !(fabs(*out) < 1e12))
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: %s is \"%s\": expected a number", file, l->number, name, l->word[index]);
    return IPOS_OK;
}

/* CAMERA_ID MODEL WIDTH HEIGHT PARAMS[] */
static ipos_status read_lens(const line *l, lenses *out) {
    static const struct { const char *name; bool two, bent; } models[] = {{"SIMPLE_PINHOLE", false, false}, {"PINHOLE", true, false},
        {"SIMPLE_RADIAL", false, true}, {"RADIAL", false, true}, {"OPENCV", true, true}};
    static const char file[] = "camera_models";
    double id, size[2], focal[2], centre[2];
    size_t model = 0;
    IP_TRY(real_at(l, 0, file, "CAMERA_ID", &id));
    while (l->count > 1 && model < IP_COUNT(models) && strcmp(l->word[1], models[model].name) != 0)
        model++;
    if (l->count < 2 || model == IP_COUNT(models))
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: camera model \"%s\": expected SIMPLE_PINHOLE, PINHOLE, SIMPLE_RADIAL, RADIAL or OPENCV; undistort "
            "the images and write them anew", file, l->number, l->count > 1 ? l->word[1] : "");
    IP_TRY(real_at(l, 2, file, "WIDTH", &size[0]));
    IP_TRY(real_at(l, 3, file, "HEIGHT", &size[1]));
    IP_TRY(real_at(l, 4, file, "the focal length", &focal[0]));
    focal[1] = focal[0];
    size_t at = 5;
    if (models[model].two)
        IP_TRY(real_at(l, at++, file, "the focal length down", &focal[1]));
    IP_TRY(real_at(l, at, file, "the centre", &centre[0]));
    IP_TRY(real_at(l, at + 1, file, "the centre", &centre[1]));
    if (!(size[0] >= 1 && size[1] >= 1 && focal[0] > 0 && focal[1] > 0))
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: a camera of %g x %g pixels with a focal length of %g: expected more than 0", file, l->number, size[0],
            size[1], focal[0]);
    if (fabs(focal[1] / focal[0] - 1) > .005)
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: focal lengths of %g and %g: pixels that are not square are not understood", file, l->number, focal[0],
            focal[1]);
    if (out->count == LENSES)
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: more than %d cameras", file, l->number, LENSES);
    out->at[out->count++] = (lens){(int64_t)id, .5 * (focal[0] + focal[1]) / size[0], {centre[0] / size[0], centre[1] / size[1]}};
    out->bent = out->bent || models[model].bent;
    return IPOS_OK;
}

static ipos_status read_lenses(const char *text, lenses *out) {
    line l = {.number = 0};
    while (next_line(&text, &l))
        if (l.count && l.word[0][0] != '#')
            IP_TRY(read_lens(&l, out));
    return out->count ? IPOS_OK : ip_fail(IPOS_ERR_FORMAT, "camera_models: there is no camera in it: expected the text of COLMAP's cameras.txt");
}

/* The last run of digits before the suffix. */
static bool number_of(const char *name, int64_t *out) {
    const char *dot = strrchr(name, '.'), *end = dot && dot > name ? dot : name + strlen(name);
    while (end > name && (end[-1] < '0' || end[-1] > '9'))
        end--;
    const char *begin = end;
    while (begin > name && begin[-1] >= '0' && begin[-1] <= '9')
        begin--;
    if (begin == end || end - begin > 15)
        return false;
    *out = 0;
    for (; begin < end; begin++)
        *out = 10 * *out + (*begin - '0');
    return true;
}

/* IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME */
static ipos_status read_image(const line *l, const lenses *known, ip_given_camera *camera, size_t *room) {
    static const char *const names[9] = {"IMAGE_ID", "QW", "QX", "QY", "QZ", "TX", "TY", "TZ", "CAMERA_ID"};
    static const char file[] = "camera";
    double v[9];
    int64_t number;
    size_t which = 0;
    for (size_t i = 0; i < 9; i++)
        IP_TRY(real_at(l, i, file, names[i], &v[i]));
    if (l->count < 10 || !number_of(l->word[9], &number))
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: image \"%s\": expected a name with the frame's number in it", file, l->number,
            l->count > 9 ? l->word[9] : "");
    double length = sqrt(v[1] * v[1] + v[2] * v[2] + v[3] * v[3] + v[4] * v[4]);
    if (!(fabs(length - 1) < 1e-2))
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: a quaternion of length %g: expected 1", file, l->number, length);
    while (which < known->count && known->at[which].id != (int64_t)v[8])
        which++;
    if (which == known->count)
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: camera %g is not in camera_models", file, l->number, v[8]);
    const lens *of = &known->at[which];
    if (camera->count && fabs(of->focal / camera->focal - 1) > 1e-3)
        return ip_fail(IPOS_ERR_FORMAT, "%s: line %zu: focal lengths of %g and %g of the width: all frames of a shot must share one lens", file, l->number,
            camera->focal, of->focal);
    camera->focal = of->focal;
    memcpy(camera->centre, of->centre, sizeof camera->centre);
    double w = v[1] / length, x = v[2] / length, y = v[3] / length, z = v[4] / length;
    ip_pose pose = {{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
                        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}, {v[5], v[6], v[7]}};
    return ip_given_add(camera, room, number, &pose);
}

ipos_status ip_given_colmap(const char *images, const char *models, ip_given_camera *camera) {
    lenses known = {.count = 0};
    line l = {.number = 0};
    size_t room = 0;
    if (!models || !*models)
        return ip_fail(IPOS_ERR_ARGUMENT, "camera: this is no JSON; for COLMAP's images.txt give cameras.txt too: camera_models=@cameras.txt");
    IP_TRY(read_lenses(models, &known));
    while (next_line(&images, &l)) {
        if (!l.count || l.word[0][0] == '#')
            continue;
        IP_TRY(read_image(&l, &known, camera, &room));
        next_line(&images, &l); /* its points */
    }
    if (known.bent)
        snprintf(camera->warning, sizeof camera->warning, "the camera's lens distortion is left out of account: undistorted pictures would fit better");
    return IPOS_OK;
}
