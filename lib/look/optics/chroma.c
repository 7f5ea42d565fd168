#include "chroma.h"
#include "fit.h"
#include "gauss.h"
#include <math.h>

enum { FRAMES = 6, WARPS = 4, UNKNOWNS = 3, TAGS = 8, CELL = 48, ROWS_A_FRAME = 60000 };
static const double WINDOW = 4., FLOOR_PIXELS = .15, FLOOR_ERRORS = 3., MOST_PIXELS = 8.;
static const float ALIKE = .85f, STEEP = .15f, NORMAL_FLOOR = .01f;
static const size_t ROWS_LEAST = 3000;

typedef struct plates {
    ip_plane_f normal[3], usable; /* R, G, B locally normalised; usable: not clipped */
} plates;

typedef struct measuring {
    const ip_look_source *source;
    plates plate[FRAMES];
    size_t frames;
} measuring;

static void free_plates(plates *p) {
    ip_planes_free(p->normal, 3);
    ip_plane_free(&p->usable);
}

static ipos_status load(const ip_look_source *source, size_t index, plates *out) {
    ip_image3 image;
    IP_TRY(ip_look_fetch(source, index, 0, &image));
    int w = image.c[0].width, h = image.c[0].height;
    float most = source->clip > 0.f ? .94f * source->clip : INFINITY;
    ipos_status status = ip_planes_new(w, h, out->normal, 3);
    if (status == IPOS_OK)
        status = ip_plane_new(w, h, &out->usable);
    for (int y = 0; y < h && status == IPOS_OK; y++)
        for (int x = 0; x < w; x++) {
            float top = fmaxf(ip_row(&image.c[0], y)[x], fmaxf(ip_row(&image.c[1], y)[x], ip_row(&image.c[2], y)[x]));
            ip_row(&out->usable, y)[x] = top < most ? 1.f : 0.f;
        }
    for (int c = 0; c < 3 && status == IPOS_OK; c++) {
        ip_look_code_plane(source, &image.c[c], &image.c[c]);
        status = ip_local_normal(&image.c[c], WINDOW, NORMAL_FLOOR, &out->normal[c], source->threads);
    }
    ip_image3_free(&image);
    return status;
}

/* Where a green pixel's detail is in the other channel. unknown: pixels at the corner, shift x, shift y. */
static void target(const double *unknown, const ip_plane_f *p, int x, int y, double *tx, double *ty) {
    double cx = .5 * (p->width - 1), cy = .5 * (p->height - 1), half = hypot(cx, cy);
    *tx = x + unknown[0] * (x - cx) / half + unknown[1];
    *ty = y + unknown[0] * (y - cy) / half + unknown[2];
}

static void warp(const double *unknown, const ip_plane_f *from, const ip_plane_f *to) {
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++) {
            double tx, ty;
            target(unknown, from, x, y, &tx, &ty);
            ip_row(to, y)[x] = ip_sample_cubic(from, (float)tx, (float)ty);
        }
}

static ipos_status add_rows(const plates *p, const ip_plane_f *warped, const ip_plane_f *alike, int frame, ip_fit_rows *rows) {
    const ip_plane_f *green = &p->normal[1];
    int w = green->width, h = green->height;
    double cx = .5 * (w - 1), cy = .5 * (h - 1), half = hypot(cx, cy);
    int step = (int)ceil(sqrt((double)w * h / (4. * ROWS_A_FRAME)));
    for (int y = 2; y < h - 2; y += step)
        for (int x = 2; x < w - 2; x += step) {
            if (!(ip_row(alike, y)[x] > ALIKE) || !(ip_row(&p->usable, y)[x] > 0.f))
                continue;
            /* of both, so that noise of one does not shrink the step */
            float gx = .25f * (ip_row(green, y)[x + 1] - ip_row(green, y)[x - 1] + ip_row(warped, y)[x + 1] - ip_row(warped, y)[x - 1]);
            float gy = .25f * (ip_row(green, y + 1)[x] - ip_row(green, y - 1)[x] + ip_row(warped, y + 1)[x] - ip_row(warped, y - 1)[x]);
            if (gx * gx + gy * gy < STEEP * STEEP)
                continue;
            ip_fit_row row = {.x = {(float)((gx * (x - cx) + gy * (y - cy)) / half), gx, gy}, .y = ip_row(green, y)[x] - ip_row(warped, y)[x],
                .weight = 1.f, .tag = (uint8_t)(4 * (frame & 1) + 2 * (y / CELL & 1) + (x / CELL & 1))};
            IP_TRY(ip_fit_add(rows, &row));
        }
    return IPOS_OK;
}

/* Correlation of the two around every place, into alike. part: scratch of three planes. */
static void correlate(const ip_plane_f *a, const ip_plane_f *b, const ip_plane_f *alike, const ip_plane_f part[3], int threads) {
    const ip_plane_f *pair[3][2] = {{a, b}, {a, a}, {b, b}}, *into[3] = {alike, &part[0], &part[1]};
    for (int k = 0; k < 3; k++) {
        for (int y = 0; y < a->height; y++)
            for (int x = 0; x < a->width; x++)
                ip_row(into[k], y)[x] = ip_row(pair[k][0], y)[x] * ip_row(pair[k][1], y)[x];
        ip_gauss_blur(into[k], into[k], &part[2], WINDOW, threads);
    }
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            ip_row(alike, y)[x] /= sqrtf(ip_row(&part[0], y)[x] * ip_row(&part[1], y)[x]) + 1e-3f;
}

static ipos_status collect(const measuring *m, int channel, const double *unknown, ip_fit_rows *rows) {
    rows->count = 0;
    for (size_t i = 0; i < m->frames; i++) {
        const plates *p = &m->plate[i];
        ip_plane_f part[5];
        IP_TRY(ip_planes_new(p->usable.width, p->usable.height, part, 5));
        warp(unknown, &p->normal[channel], &part[0]);
        correlate(&part[0], &p->normal[1], &part[1], part + 2, m->source->threads);
        ipos_status status = add_rows(p, &part[0], &part[1], (int)i, rows);
        ip_planes_free(part, 5);
        IP_TRY(status);
    }
    return IPOS_OK;
}

/* Standard error of the scale: jackknife over cells of the picture and frames. */
static ipos_status jackknife(const ip_fit_rows *rows, double *error) {
    double value[TAGS], mean = 0., square = 0.;
    int used = 0;
    for (int i = 0; i < TAGS; i++) {
        const ip_fit_options options = {.tags = ((1u << TAGS) - 1) & ~(1u << i), .iterations = 8};
        ip_fit_result fit;
        IP_TRY(ip_fit(rows, &options, &fit));
        if (fit.rows < rows->count) {
            value[used++] = fit.solution[0];
            mean += fit.solution[0];
        }
    }
    for (int i = 0; i < used; i++)
        square += (value[i] - mean / used) * (value[i] - mean / used);
    *error = used > 1 ? sqrt(square * (used - 1.) / used) : INFINITY;
    return IPOS_OK;
}

static void judge(const measuring *m, size_t rows, double error, ip_chroma_channel *out) {
    double least = fmax(FLOOR_PIXELS, FLOOR_ERRORS * error);
    out->error = isfinite(error) ? error : 0.;
    out->reading.frames = (int64_t)m->frames;
    if (rows < ROWS_LEAST)
        ip_not_measurable(&out->reading, "only %zu places with detail alike in both channels, at least %zu are needed", rows, ROWS_LEAST);
    else if (!(fabs(out->corner) >= least))
        ip_not_measurable(&out->reading, "%.3f pixels in the corner: not told from none (less than %.2f)", out->corner, least);
    else if (fabs(out->corner) > MOST_PIXELS)
        ip_not_measurable(&out->reading, "%.1f pixels in the corner are no lens's", out->corner);
    else
        out->reading.confidence = 1. - .5 * least / fabs(out->corner);
}

static ipos_status measure_channel(const measuring *m, int channel, ip_chroma_channel *out) {
    ip_fit_rows rows = {.unknowns = UNKNOWNS};
    double unknown[UNKNOWNS] = {0}, error = INFINITY;
    ipos_status status = IPOS_OK;
    for (int i = 0; i < WARPS && status == IPOS_OK; i++) {
        const ip_fit_options options = {.tags = (1u << TAGS) - 1, .iterations = 10};
        ip_fit_result fit = {0};
        status = ip_alive(m->source->pulse) ? collect(m, channel, unknown, &rows) : ip_fail(IPOS_ERR_CANCELLED, "chromatic aberration: cancelled");
        if (status == IPOS_OK)
            status = ip_fit(&rows, &options, &fit);
        for (int k = 0; k < UNKNOWNS; k++)
            unknown[k] += fit.solution[k];
    }
    if (status == IPOS_OK && rows.count >= ROWS_LEAST)
        status = jackknife(&rows, &error);
    *out = (ip_chroma_channel){.corner = unknown[0], .shift_x = unknown[1], .shift_y = unknown[2]};
    judge(m, rows.count, error, out);
    ip_fit_free(&rows);
    return status;
}

ipos_status ip_chroma_measure(const ip_look_source *source, ip_chroma *out) {
    *out = (ip_chroma){.width = source->width, .height = source->height};
    IP_TRY(ip_look_check(source, "chromatic aberration"));
    measuring m = {.source = source, .frames = ip_look_spread(source->count, FRAMES)};
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < m.frames && status == IPOS_OK; i++)
        status = load(source, ip_look_spread_at(source->count, m.frames, i), &m.plate[i]);
    if (status == IPOS_OK)
        status = measure_channel(&m, 0, &out->red);
    if (status == IPOS_OK)
        status = measure_channel(&m, 2, &out->blue);
    for (size_t i = 0; i < FRAMES; i++)
        free_plates(&m.plate[i]);
    return status;
}

/* to (x) = from (centre + (x - centre) * scale). */
static ipos_status rescale(const ip_chroma *chroma, const ip_chroma_channel *channel, bool remove, ip_plane_f *plane) {
    double half = .5 * hypot((double)chroma->width - 1., (double)chroma->height - 1.);
    if (!ip_measured(&channel->reading) || channel->corner == 0. || !(half > 0.))
        return IPOS_OK;
    double larger = 1. + channel->corner / half, scale = remove ? larger : 1. / larger;
    double cx = .5 * (plane->width - 1), cy = .5 * (plane->height - 1);
    ip_plane_f copy;
    IP_TRY(ip_plane_new(plane->width, plane->height, &copy));
    ip_plane_copy(&copy, plane);
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            ip_row(plane, y)[x] = ip_sample_cubic(&copy, (float)(cx + (x - cx) * scale), (float)(cy + (y - cy) * scale));
    ip_plane_free(&copy);
    return IPOS_OK;
}

static ipos_status rescale_both(const ip_chroma *chroma, const ip_image3 *image, bool remove) {
    ip_plane_f red = image->c[0], blue = image->c[2];
    IP_TRY(rescale(chroma, &chroma->red, remove, &red));
    return rescale(chroma, &chroma->blue, remove, &blue);
}

ipos_status ip_chroma_add(const ip_chroma *chroma, const ip_image3 *image) { return rescale_both(chroma, image, false); }
ipos_status ip_chroma_remove(const ip_chroma *chroma, const ip_image3 *image) { return rescale_both(chroma, image, true); }

static const ip_field channel_fields[] = {IP_FIELD(ip_chroma_channel, reading, IP_FIELD_READING), IP_FIELD(ip_chroma_channel, corner, IP_FIELD_REAL),
    IP_FIELD(ip_chroma_channel, shift_x, IP_FIELD_REAL), IP_FIELD(ip_chroma_channel, shift_y, IP_FIELD_REAL),
    IP_FIELD(ip_chroma_channel, error, IP_FIELD_REAL)};

json_t *ip_chroma_json(const ip_chroma *chroma) {
    return json_pack("{s:I, s:I, s:o, s:o}", "width", (json_int_t)chroma->width, "height", (json_int_t)chroma->height, "red",
        ip_record_json(channel_fields, IP_COUNT(channel_fields), &chroma->red), "blue",
        ip_record_json(channel_fields, IP_COUNT(channel_fields), &chroma->blue));
}

ipos_status ip_chroma_parse(const json_t *value, ip_chroma *out) {
    *out = (ip_chroma){0};
    const json_t *width = json_object_get(value, "width"), *height = json_object_get(value, "height");
    if (!json_is_integer(width) || !json_is_integer(height) || json_object_size(value) != 4)
        return ip_fail(IPOS_ERR_FORMAT, "chromatic aberration: expected an object of width, height, red and blue");
    out->width = json_integer_value(width);
    out->height = json_integer_value(height);
    IP_TRY(ip_record_parse(channel_fields, IP_COUNT(channel_fields), json_object_get(value, "red"), "chromatic aberration", &out->red));
    return ip_record_parse(channel_fields, IP_COUNT(channel_fields), json_object_get(value, "blue"), "chromatic aberration", &out->blue);
}
