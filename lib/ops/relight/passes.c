/* Passes frame by frame, at the size of the analysis: the sample in the middle of each of its pixels, for depths do not mix. */
#include "brought.h"

#include <ctype.h>
#include <math.h>

/* Which channels of a pass count: those of a layer of one of these names, else bare ones, else colour. */
typedef struct pass_names {
    const char *role, *layers; /* comma-separated, lower case */
    const char *letters[2];    /* of its channels, in order; alternatives */
    size_t count;
} pass_names;

static const pass_names DEPTH = {"depth", "depth,z,zdepth", {"zvyr", "zvyr"}, 1}, POSITION = {"position", "position,p,world,worldposition", {"xyz", "rgb"}, 3},
                        NORMALS = {"normals", "normal,normals,n", {"xyz", "rgb"}, 3};

/* The name's last part in lower case, and the part before it. */
static void split(const char *name, char layer[64], char last[64]) {
    const char *dot = strrchr(name, '.'), *begin = name;
    for (const char *p = name; dot && p < dot; p++)
        if (*p == '.')
            begin = p + 1;
    size_t length = dot ? IP_MIN((size_t)(dot - begin), (size_t)63) : 0;
    for (size_t i = 0; i < length; i++)
        layer[i] = (char)tolower((unsigned char)begin[i]);
    layer[length] = 0;
    snprintf(last, 64, "%.63s", dot ? dot + 1 : name);
    for (char *p = last; *p; p++)
        *p = (char)tolower((unsigned char)*p);
}

/* A channel called `letter` of a layer that is asked for (NULL: of none). */
static int channel_of(const ipos_frame *frame, const char *layers, char letter) {
    for (size_t i = 0; i < frame->channel_count; i++) {
        char layer[64], last[64];
        split(frame->channels[i].name, layer, last);
        if (last[0] == letter && !last[1] && (layers ? *layer && ip_in_list(layers, layer) : !*layer))
            return (int)i;
    }
    return -1;
}

static bool find_three(const ipos_frame *frame, const pass_names *names, int out[3]) {
    for (int bare = 0; bare < 2; bare++)
        for (int k = 0; k < 2; k++) {
            size_t found = 0;
            for (; found < 3; found++)
                if ((out[found] = channel_of(frame, bare ? NULL : names->layers, names->letters[k][found])) < 0)
                    break;
            if (found == 3)
                return true;
        }
    return false;
}

static bool find_one(const ipos_frame *frame, const pass_names *names, int out[3]) {
    for (int bare = 0; bare < 2; bare++)
        for (const char *letter = names->letters[0]; *letter; letter++)
            if ((out[0] = channel_of(frame, bare ? NULL : names->layers, *letter)) >= 0)
                return true;
    for (size_t i = 0; i < frame->channel_count; i++) { /* a channel called "depth" */
        char layer[64], last[64];
        split(frame->channels[i].name, layer, last);
        if (ip_in_list(names->layers, last)) {
            out[0] = (int)i;
            return true;
        }
    }
    return false;
}

static ipos_status find_channels(const ip_clip *clip, const ipos_frame *frame, const pass_names *names, int out[3]) {
    bool found = names->count == 1 ? find_one(frame, names, out) : find_three(frame, names, out);
    for (size_t i = 0; i < names->count && found; i++)
        if (frame->channels[out[i]].type == IPOS_U32 || frame->channels[out[i]].xs != 1 || frame->channels[out[i]].ys != 1)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: clip %s: channel %s: floats at full resolution are expected", names->role, clip->clip->name,
                frame->channels[out[i]].name);
    if (found)
        return IPOS_OK;
    ip_buffer there = {0};
    for (size_t i = 0; i < frame->channel_count; i++)
        ip_buffer_printf(&there, "%s%s", i ? ", " : "", frame->channels[i].name);
    char *text = ip_buffer_take(&there);
    ipos_status status = ip_fail(IPOS_ERR_FORMAT, "%s: clip %s has the channels %.300s: expected %s of a layer called %s, or without a layer", names->role,
        clip->clip->name, text ? text : "?", names->count == 1 ? "Z" : "X, Y, Z (or R, G, B)", names->layers);
    ip_free(text);
    return status;
}

/* Planes of the analysis' size; NAN beyond the pass's data window. */
static ipos_status read_pass(ir_passes *p, ip_clip *clip, const pass_names *names, size_t index, const ip_plane_f *to) {
    ipos_frame *frame;
    int channel[3];
    ipos_status status = ip_clip_frame(clip, p->number[index], &frame);
    if (status == IPOS_ERR_NOT_FOUND)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: clip %s has no frame %lld: it must have all frames of the shot, with their numbers", names->role,
            clip->clip->name, (long long)p->number[index]);
    IP_TRY(status);
    IP_TRY(find_channels(clip, frame, names, channel));
    ipos_box data = frame->data_window;
    if (data.x + data.width <= p->window.x || data.y + data.height <= p->window.y || 2 * frame->display_window.width <= p->window.width)
        return ip_fail(IPOS_ERR_FORMAT, "%s: clip %s, frame %lld is %d x %d pixels, the shot's frames are %d x %d: one size is expected", names->role,
            clip->clip->name, (long long)p->number[index], frame->display_window.width, frame->display_window.height, p->window.width, p->window.height);
    for (size_t c = 0; c < names->count; c++) {
        const ip_channel *from = &frame->channels[channel[c]];
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++) {
                int px = p->window.x + IP_MIN(x * p->step + p->step / 2, p->window.width - 1) - data.x;
                int py = p->window.y + IP_MIN(y * p->step + p->step / 2, p->window.height - 1) - data.y;
                float *value = &ip_row(&to[c], y)[x];
                *value = NAN;
                if (px >= 0 && py >= 0 && px < from->width && py < from->height)
                    ip_samples_to_float(from->type, from->data + py * from->row_stride + px * from->pixel_stride, from->pixel_stride, value, 1);
            }
    }
    return IPOS_OK;
}

static const float FAR = 1e6f; /* metres: renderers write huge numbers where nothing is */

static ipos_status give_depth(void *user, size_t index, const ip_plane_f *inverse) {
    ir_passes *p = user;
    IP_TRY(read_pass(p, &p->brought->depth, &DEPTH, index, inverse));
    size_t known = 0;
    for (int y = 0; y < inverse->height; y++)
        for (int x = 0; x < inverse->width; x++) {
            float *z = &ip_row(inverse, y)[x];
            bool solid = *z > 0 && *z < FAR;
            known += solid;
            *z = solid ? 1 / *z : isnan(*z) ? 0 : -1;
        }
    if (!known)
        return ip_fail(IPOS_ERR_FORMAT, "depth: clip %s, frame %lld holds no depth: expected metres, over 0 and below 1e6", p->brought->depth.clip->name,
            (long long)p->number[index]);
    return IPOS_OK;
}

static ipos_status give_ray_depth(void *user, size_t index, const ip_plane_f *inverse) {
    ir_passes *p = user;
    double focal = p->brought->camera.focal * p->width, centre[2] = {p->brought->camera.centre[0] * p->width - .5, p->brought->camera.centre[1] * p->height - .5};
    IP_TRY(give_depth(user, index, inverse));
    for (int y = 0; y < inverse->height; y++)
        for (int x = 0; x < inverse->width; x++) {
            double u = (x - centre[0]) / focal, v = (y - centre[1]) / focal;
            if (ip_row(inverse, y)[x] > 0)
                ip_row(inverse, y)[x] *= (float)sqrt(1 + u * u + v * v);
        }
    return IPOS_OK;
}

static ipos_status give_position(void *user, size_t index, const ip_plane_f at[3]) {
    ir_passes *p = user;
    float metres = (float)(p->brought->camera.count ? p->brought->camera.metres : p->brought->metres);
    IP_TRY(read_pass(p, &p->brought->position, &POSITION, index, at));
    for (int y = 0; y < at[0].height; y++)
        for (int x = 0; x < at[0].width; x++) {
            bool none = true, wrong = false;
            for (int k = 0; k < 3; k++) {
                float *value = &ip_row(&at[k], y)[x];
                none = none && *value == 0;
                wrong = wrong || !(fabsf(*value) < FAR);
                *value *= metres > 0 ? metres : 1;
            }
            for (int k = 0; k < 3 && (none || wrong); k++) /* renderers write 0,0,0 where nothing is */
                ip_row(&at[k], y)[x] = NAN;
        }
    return IPOS_OK;
}

static ipos_status give_normal(void *user, size_t index, const ip_plane_f normal[3]) {
    ir_passes *p = user;
    size_t known = 0, unit = 0;
    IP_TRY(read_pass(p, &p->brought->normals, &NORMALS, index, normal));
    for (int y = 0; y < normal[0].height; y++)
        for (int x = 0; x < normal[0].width; x++) {
            float n[3], length = 0;
            for (int k = 0; k < 3; k++) {
                n[k] = ip_row(&normal[k], y)[x];
                length += n[k] * n[k];
            }
            length = sqrtf(length);
            known += length > 0;
            bool fits = length > .7f && length < 1.3f;
            unit += fits;
            for (int k = 0; k < 3; k++)
                ip_row(&normal[k], y)[x] = fits ? n[k] / length : 0;
        }
    if (!known || unit < known / 2)
        return ip_fail(IPOS_ERR_FORMAT, "normals: clip %s, frame %lld: %zu of %zu normals have a length of about 1: expected unit vectors from -1 to 1, not packed "
            "into 0 to 1", p->brought->normals.clip->name, (long long)p->number[index], unit, known);
    return IPOS_OK;
}

static ipos_status place_camera(ir_passes *p, size_t count, ip_given *given) {
    const ip_given_camera *camera = &p->brought->camera;
    p->pose = ip_alloc(count * sizeof *p->pose);
    if (!p->pose)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        size_t at = ip_given_camera_index(camera, p->number[i]);
        if (at == camera->count)
            return ip_fail(IPOS_ERR_NOT_FOUND, "camera: frame %lld is not in it (it has %lld to %lld): every frame of the shot is needed", (long long)p->number[i],
                (long long)camera->number[0], (long long)camera->number[camera->count - 1]);
        p->pose[i] = camera->pose[at];
    }
    given->pose = p->pose;
    given->lens = (ip_lens){camera->focal * p->width, camera->centre[0] * p->width - .5, camera->centre[1] * p->height - .5};
    given->metres = camera->metres > 0;
    memcpy(given->up, camera->up, sizeof given->up);
    return IPOS_OK;
}

ipos_status ir_passes_open(ir_passes *passes, ir_brought *brought, const int64_t *number, size_t count, ipos_box window, int width, int height,
    ip_given *given) {
    *passes = (ir_passes){.brought = brought, .number = number, .window = window, .width = width, .height = height, .step = 1};
    while ((window.width + passes->step - 1) / passes->step > width)
        passes->step *= 2;
    *given = (ip_given){.depth = brought->depth.host ? brought->along_ray ? give_ray_depth : give_depth : NULL,
        .position = brought->position.host ? give_position : NULL, .normal = brought->normals.host ? give_normal : NULL,
        .normals_of_camera = brought->normals_of_camera, .mesh = brought->mesh.triangles ? &brought->mesh : NULL, .user = passes,
        .metres = brought->metres > 0};
    memcpy(given->up, brought->up, sizeof given->up);
    if (brought->along_ray && !brought->camera.count)
        return ip_fail(IPOS_ERR_ARGUMENT, "depth_along: distances along the ray need the camera's lens: give camera too, or depth along the axis");
    return brought->camera.count ? place_camera(passes, count, given) : IPOS_OK;
}

void ir_passes_close(ir_passes *passes) {
    ip_free(passes->pose);
    *passes = (ir_passes){0};
}
