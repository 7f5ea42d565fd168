#include "tone.h"
#include "colorimetry.h"
#include "fit.h"
#include <math.h>

enum { FRAMES = 16, PIXELS_A_FRAME = 40000 };
static const double SHARES[IP_TONE_LEVELS] = {.001, .01, .05, .1, .25, .5, .75, .9, .95, .99, .999};
static const double LOWEST_STOPS = -16., COLOUR_STOPS = -6., FLAT = 1e-4;

double ip_tone_level(int i) { return SHARES[i]; }

typedef struct samples {
    float *rgb, *scratch; /* linear, three a pixel; scratch of one a pixel */
    size_t count, room;
} samples;

/* A grid over the picture inside letterbox bars, jittered in no way: what is flat stays flat. */
static ipos_status take(const ip_look_source *source, const ip_image3 *image, samples *s) {
    ip_plane_f luma;
    IP_TRY(ip_plane_new(source->width, source->height, &luma));
    ip_look_code_luma(source, image, &luma);
    const ip_plane_f *one = &luma;
    ip_box_i box = ip_letterbox(&one, 1);
    ip_plane_free(&luma);
    double step = fmax(1., sqrt((double)box.width * box.height / PIXELS_A_FRAME));
    for (double y = box.y; (int)y < box.y + box.height; y += step)
        for (double x = box.x; (int)x < box.x + box.width && s->count < s->room; x += step) {
            for (int c = 0; c < 3; c++)
                s->rgb[3 * s->count + (size_t)c] = ip_row(&image->c[c], (int)y)[(int)x];
            s->count++;
        }
    return IPOS_OK;
}

static float luma_of(const float *rgb) { return ip_luma_of(rgb[0], rgb[1], rgb[2]); }

static void tones(const ip_look_source *source, const samples *s, ip_tone *out) {
    for (size_t i = 0; i < s->count; i++)
        s->scratch[i] = luma_of(s->rgb + 3 * i);
    for (int l = 0; l < IP_TONE_LEVELS; l++) {
        float linear = ip_quantile(s->scratch, s->count, SHARES[l]);
        out->code[l] = ip_look_code(source, linear);
        out->stops[l] = fmax(LOWEST_STOPS, log2(fmax(1e-12, linear / .18)));
    }
    for (int c = 0; c < 3; c++) {
        for (size_t i = 0; i < s->count; i++)
            s->scratch[i] = s->rgb[3 * i + (size_t)c];
        out->black[c] = ip_look_code(source, ip_quantile(s->scratch, s->count, SHARES[0]));
        out->white[c] = ip_look_code(source, ip_quantile(s->scratch, s->count, SHARES[IP_TONE_LEVELS - 1]));
    }
}

static void colours(const ip_look_source *source, const samples *s, ip_tone *out) {
    size_t n = 0, clipped = 0;
    double white_u, white_v;
    ip_chromaticity(source->encoding, (const double[3]){1., 1., 1.}, &white_u, &white_v);
    for (size_t i = 0; i < s->count; i++) {
        const float *p = s->rgb + 3 * i;
        bool ends = source->clip > 0.f && fmaxf(p[0], fmaxf(p[1], p[2])) > .995f * source->clip;
        clipped += ends;
        if (ends || !(luma_of(p) > .18 * exp2(COLOUR_STOPS)))
            continue;
        double u, v;
        ip_chromaticity(source->encoding, (const double[3]){p[0], p[1], p[2]}, &u, &v);
        s->scratch[n++] = (float)(13. * hypot(u - white_u, v - white_v));
    }
    out->clipped = (double)clipped / (double)s->count;
    if (n == 0)
        return;
    out->saturation = ip_select(s->scratch, n, n / 2);
    out->saturation_high = ip_quantile(s->scratch, n, .95);
}

ipos_status ip_tone_measure(const ip_look_source *source, ip_tone *out) {
    *out = (ip_tone){0};
    IP_TRY(ip_look_check(source, "tone"));
    size_t frames = ip_look_spread(source->count, FRAMES);
    samples s = {.room = frames * 2 * PIXELS_A_FRAME};
    s.rgb = ip_alloc(4 * s.room * sizeof(float));
    if (!s.rgb)
        return IPOS_ERR_NO_MEMORY;
    s.scratch = s.rgb + 3 * s.room;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < frames && status == IPOS_OK; i++) {
        ip_image3 image;
        status = ip_look_fetch(source, ip_look_spread_at(source->count, frames, i), 0, &image);
        if (status == IPOS_OK) {
            status = take(source, &image, &s);
            ip_image3_free(&image);
        }
    }
    if (status == IPOS_OK) {
        tones(source, &s, out);
        colours(source, &s, out);
        out->scene = source->encoding->kind != IP_ENCODING_DISPLAY;
        out->reading.frames = (int64_t)frames;
        if (out->code[IP_TONE_LEVELS - 1] - out->code[0] < FLAT)
            ip_not_measurable(&out->reading, "the frames hold one level alone");
        else
            out->reading.confidence = (double)frames / ((double)frames + 2.);
    }
    ip_free(s.rgb);
    return status;
}

static const ip_field fields[] = {IP_FIELD(ip_tone, reading, IP_FIELD_READING), IP_FIELD(ip_tone, scene, IP_FIELD_BOOL),
    IP_FIELDS(ip_tone, code, IP_FIELD_REAL, IP_TONE_LEVELS), IP_FIELDS(ip_tone, stops, IP_FIELD_REAL, IP_TONE_LEVELS),
    IP_FIELDS(ip_tone, black, IP_FIELD_REAL, 3), IP_FIELDS(ip_tone, white, IP_FIELD_REAL, 3), IP_FIELD(ip_tone, clipped, IP_FIELD_REAL),
    IP_FIELD(ip_tone, saturation, IP_FIELD_REAL), IP_FIELD(ip_tone, saturation_high, IP_FIELD_REAL)};

json_t *ip_tone_json(const ip_tone *tone) { return ip_record_json(fields, IP_COUNT(fields), tone); }

ipos_status ip_tone_parse(const json_t *value, ip_tone *out) {
    *out = (ip_tone){0};
    return ip_record_parse(fields, IP_COUNT(fields), value, "tone", out);
}
