#include "source.h"
#include "text.h"
#include <math.h>

void ip_not_measurable(ip_reading *reading, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ip_vformat(reading->reason, sizeof reading->reason, format, args);
    va_end(args);
    reading->confidence = 0.;
}

ipos_status ip_look_check(const ip_look_source *source, const char *what) {
    if (source->count < 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: no frames given, expected at least one", what);
    if (source->width < 16 || source->height < 16)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: frames of %dx%d, expected at least 16x16", what, source->width, source->height);
    if (!source->encoding || source->encoding->kind == IP_ENCODING_DATA)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: encoding %s holds no colour; declare one of %s", what,
            source->encoding ? source->encoding->name : "(none)", ip_encoding_names());
    if (!(source->clip >= 0.f))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: clip %g, expected 0 (none) or the linear value samples end at", what, (double)source->clip);
    return IPOS_OK;
}

static void make_finite(const ip_plane_f *plane) {
    for (int y = 0; y < plane->height; y++) {
        float *row = ip_row(plane, y);
        for (int x = 0; x < plane->width; x++)
            row[x] = isfinite(row[x]) ? row[x] : 0.f;
    }
}

static ipos_status halve3(ip_image3 *image, int threads) {
    for (int c = 0; c < 3; c++) {
        ip_plane_f half;
        IP_TRY(ip_halve(&image->c[c], &half, threads));
        ip_plane_free(&image->c[c]);
        image->c[c] = half;
    }
    return IPOS_OK;
}

ipos_status ip_look_fetch(const ip_look_source *source, size_t index, int max_width, ip_image3 *out) {
    *out = (ip_image3){0};
    if (!ip_alive(source->pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "measuring the look: cancelled at frame %zu", index);
    IP_TRY(ip_image3_new(source->width, source->height, out));
    ipos_status status = source->fetch(source->user, index, out);
    for (int c = 0; status == IPOS_OK && c < 3; c++)
        make_finite(&out->c[c]);
    while (status == IPOS_OK && max_width > 0 && out->c[0].width > max_width)
        status = halve3(out, source->threads);
    if (status != IPOS_OK)
        ip_image3_free(out);
    return status;
}

size_t ip_look_spread(size_t count, size_t most) { return IP_MIN(count, most); }

size_t ip_look_spread_at(size_t count, size_t chosen, size_t i) {
    return chosen < 2 ? count / 2 : i * (count - 1) / (chosen - 1);
}

float ip_look_code(const ip_look_source *source, float linear) {
    if (source->encoding->kind == IP_ENCODING_LINEAR) {
        ip_to_working(source->encoding, &linear, 1);
        return linear;
    }
    return source->encoding->from_linear(linear);
}

float ip_look_linear(const ip_encoding *encoding, float code) {
    if (encoding->kind != IP_ENCODING_LINEAR)
        return encoding->to_linear(code);
    ip_from_working(encoding, &code, 1);
    return code;
}

void ip_look_code_plane(const ip_look_source *source, const ip_plane_f *linear, const ip_plane_f *out) {
    for (int y = 0; y < linear->height; y++) {
        const float *in = ip_row(linear, y);
        float *row = ip_row(out, y);
        if (source->encoding->kind == IP_ENCODING_LINEAR) {
            memmove(row, in, (size_t)linear->width * sizeof *row);
            ip_to_working(source->encoding, row, (size_t)linear->width);
        } else {
            for (int x = 0; x < linear->width; x++)
                row[x] = source->encoding->from_linear(in[x]);
        }
    }
}

void ip_look_code_luma(const ip_look_source *source, const ip_image3 *image, const ip_plane_f *out) {
    for (int y = 0; y < out->height; y++) {
        const float *r = ip_row(&image->c[0], y), *g = ip_row(&image->c[1], y), *b = ip_row(&image->c[2], y);
        float *row = ip_row(out, y);
        for (int x = 0; x < out->width; x++)
            row[x] = ip_luma_of(r[x], g[x], b[x]);
    }
    ip_look_code_plane(source, out, out);
}
