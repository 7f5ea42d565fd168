#include "given_parts.h"

#include <math.h>
#include <stdlib.h>

void ip_given_camera_free(ip_given_camera *camera) {
    ip_free(camera->number);
    ip_free(camera->pose);
    *camera = (ip_given_camera){0};
}

size_t ip_given_camera_index(const ip_given_camera *camera, int64_t number) {
    size_t low = 0, high = camera->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (camera->number[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < camera->count && camera->number[low] == number ? low : camera->count;
}

ipos_status ip_given_add(ip_given_camera *c, size_t *room, int64_t number, const ip_pose *pose) {
    if (c->count == *room) {
        size_t more = *room ? 2 * *room : 256;
        int64_t *numbers = ip_realloc(c->number, more * sizeof *numbers);
        if (!numbers)
            return IPOS_ERR_NO_MEMORY;
        c->number = numbers;
        ip_pose *poses = ip_realloc(c->pose, more * sizeof *poses);
        if (!poses)
            return IPOS_ERR_NO_MEMORY;
        c->pose = poses;
        *room = more;
    }
    size_t at = c->count++;
    for (; at > 0 && c->number[at - 1] > number; at--) {
        c->number[at] = c->number[at - 1];
        c->pose[at] = c->pose[at - 1];
    }
    c->number[at] = number;
    c->pose[at] = *pose;
    if (at > 0 && c->number[at - 1] == number)
        return ip_fail(IPOS_ERR_FORMAT, "camera: frame %lld is there twice", (long long)number);
    return IPOS_OK;
}

static double dot(const double *a, const double *b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

bool ip_given_rotation(double r[9]) {
    double third[3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            if (!(fabs(dot(r + 3 * i, r + 3 * j) - (i == j)) < 1e-3))
                return false;
    double first = sqrt(dot(r, r));
    for (int k = 0; k < 3; k++)
        r[k] /= first;
    double along = dot(r, r + 3);
    for (int k = 0; k < 3; k++)
        r[3 + k] -= along * r[k];
    double second = sqrt(dot(r + 3, r + 3));
    for (int k = 0; k < 3; k++)
        r[3 + k] /= second;
    third[0] = r[1] * r[5] - r[2] * r[4];
    third[1] = r[2] * r[3] - r[0] * r[5];
    third[2] = r[0] * r[4] - r[1] * r[3];
    if (dot(third, r + 6) < 0)
        return false; /* a mirror */
    memcpy(r + 6, third, sizeof third);
    return true;
}

static ipos_status set_up(const char *up, ip_given_camera *out) {
    bool down = up[0] == '-';
    char axis = up[down];
    if ((axis != 'y' && axis != 'z') || up[down + 1])
        return ip_fail(IPOS_ERR_FORMAT, "camera: up is \"%s\": expected y, z, -y or -z", up);
    out->up[axis == 'y' ? 1 : 2] = down ? -1 : 1;
    return IPOS_OK;
}

static ipos_status read_text(const char *text, const ip_given_words *words, ip_given_camera *out) {
    const char *up = NULL, *first = text + strspn(text, " \t\r\n\xef\xbb\xbf");
    out->centre[0] = out->centre[1] = .5;
    if (*first == '{') {
        IP_TRY(ip_given_json(first, out, &up));
    } else {
        IP_TRY(ip_given_colmap(text, words->models, out));
        up = "-y";
    }
    if (!out->count)
        return ip_fail(IPOS_ERR_FORMAT, "camera: there is no frame in it");
    if (words->metres >= 0)
        out->metres = words->metres;
    for (size_t i = 0; i < out->count && out->metres > 0; i++)
        for (int k = 0; k < 3; k++)
            out->pose[i].t[k] *= out->metres;
    ipos_status status = set_up(words->up && *words->up && strcmp(words->up, "auto") != 0 ? words->up : up, out);
    return status;
}

ipos_status ip_given_camera_read(const char *text, const ip_given_words *words, ip_given_camera *out) {
    *out = (ip_given_camera){0};
    ipos_status status = read_text(text, words, out);
    if (status != IPOS_OK)
        ip_given_camera_free(out);
    return status;
}

static void add_row(ip_buffer *out, const double *v, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char text[32];
        ip_real_text(round(v[i] * 1e9) / 1e9 + 0., text);
        ip_buffer_printf(out, "%s%s", i ? "," : "[", text);
    }
    ip_buffer_printf(out, "]");
}

void ip_given_camera_write(ip_buffer *out, const int64_t *number, const ip_pose *pose, size_t count, const ip_lens *lens, int width, int height) {
    double focal = lens->focal / width, centre[2] = {(lens->cx + .5) / width, (lens->cy + .5) / height};
    char text[32];
    ip_real_text(focal, text);
    ip_buffer_printf(out, "{\"interpos_camera\":1,\"up\":\"y\",\"metres\":1,\"looks\":\"-z\",\"focal\":%s,\"centre\":", text);
    add_row(out, centre, 2);
    ip_buffer_printf(out, ",\"frames\":[");
    for (size_t i = 0; i < count; i++) {
        const ip_pose *p = &pose[i];
        ip_buffer_printf(out, "%s{\"number\":%lld,\"matrix\":[", i ? "," : "", (long long)number[i]);
        for (int row = 0; row < 3; row++) { /* right, up, back, place; our world has z forward and x right: a mirror, so z is turned round */
            double sign = row == 2 ? -1 : 1, eye = 0;
            for (int k = 0; k < 3; k++)
                eye -= p->r[3 * k + row] * p->t[k];
            double line[4] = {sign * p->r[row], -sign * p->r[3 + row], -sign * p->r[6 + row], sign * eye};
            ip_buffer_printf(out, "%s", row ? "," : "");
            add_row(out, line, 4);
        }
        ip_buffer_printf(out, "]}");
    }
    ip_buffer_printf(out, "]}");
}
