#include "shine.h"
#include "camera.h"
#include "curves.h"
#include "gauss.h"
#include "mask.h"

#include <math.h>

static const float PANE_GREY = .16f, PANE_DARK = .36f, PANE_RAMP = .08f; /* code values: most colour, most luma, and where they begin to tell */
static const float METAL_GREY = .18f;                                     /* of the brightest channel */
static const float ALIKE = .35f, OWN = .35f;                              /* stops that colours of one pole differ by; share of a pole that counts */
static const float WIDE = 32, NARROW = 20, ALONG = 6;                     /* pixels at 640 across */
static const double ROUGH = .3, MIRRORS = .25;
enum { TAPS = 8 };

static float ramp(float value) { return fminf(fmaxf(value, 0), 1); }

static float code_of(float light) { return ip_srgb_from_linear(ramp(light)); }

/* Code values of a colour: the brightest, its distance to the darkest, their luma. */
typedef struct shade_of {
    float most, colour, luma;
} shade_of;

static shade_of shade_at(const float rgb[3]) {
    float code[3];
    for (int c = 0; c < 3; c++)
        code[c] = code_of(rgb[c]);
    float most = fmaxf(code[0], fmaxf(code[1], code[2])), least = fminf(code[0], fminf(code[1], code[2]));
    return (shade_of){most, most - least, .2126f * code[0] + .7152f * code[1] + .0722f * code[2]};
}

static void find_panes(const ip_set_frame *f, const ip_plane_f soft[3], const ip_plane_f *tmp, int threads, ip_plane_f *pane) {
    const float bright = ip_srgb_to_linear(PANE_DARK / .7152f); /* of green */
    bool any = false;
    ip_plane_fill(pane, 0);
    for (int y = 0; y < pane->height; y++)
        for (int x = 0; x < pane->width; x++) {
            float rgb[3] = {ip_row(&soft[0], y)[x], ip_row(&soft[1], y)[x], ip_row(&soft[2], y)[x]};
            if (ip_row(&f->kind, y)[x] != IP_IS_UPRIGHT || rgb[1] > bright) /* then its luma alone says no */
                continue;
            shade_of s = shade_at(rgb);
            float sure = ramp((PANE_GREY - s.colour) / PANE_RAMP) * ramp((PANE_DARK - s.luma) / PANE_RAMP);
            ip_row(pane, y)[x] = sure;
            any = any || sure > 0;
        }
    if (!any)
        return;
    ip_mask_open(pane, tmp, ip_relight_pixels(pane->width, 2));
    ip_gauss_blur(pane, pane, tmp, .7 * (double)ip_relight_unit(pane->width), threads);
}

/* How far pixels of narrow things belong to something grey, by the colour of its middle. */
static void outline_metal(const ip_plane_f soft[3], const ip_plane_f *things, const ip_plane_f *own) {
    float unit = ip_relight_unit(own->width);
    for (int y = 0; y < own->height; y++)
        for (int from = 0, to = 0; ip_mask_run(ip_row(things, y), own->width, &from, &to);) {
            int quarter = (to - from) / 4, count = to - from - 2 * quarter;
            float middle[3] = {0}, rgb[3], narrow = ramp((WIDE * unit - (float)(to - from)) / ((WIDE - NARROW) * unit));
            if (narrow <= 0 || to - from < 2)
                continue;
            for (int c = 0; c < 3; c++) {
                for (int x = from + quarter; x < to - quarter; x++)
                    middle[c] += log2f(ip_row(&soft[c], y)[x] + .01f) / (float)count;
                rgb[c] = exp2f(middle[c]) - .01f;
            }
            shade_of s = shade_at(rgb);
            float metal = narrow * ramp(2 - 2 * s.colour / (METAL_GREY * fmaxf(s.most, .05f)));
            for (int x = from; x < to && metal > 0; x++) {
                float apart = 0;
                for (int c = 0; c < 3; c++) {
                    float d = log2f(ip_row(&soft[c], y)[x] + .01f) - middle[c];
                    apart += d * d;
                }
                ip_row(own, y)[x] = metal * expf(-apart / (3 * ALIKE * ALIKE));
            }
        }
}

/* The sun in an upright cylinder across a row, at a place from -1 to 1 of it. to_sun, to_eye: right, down, away. */
static double glint_at(double across, const double to_sun[3], const double to_eye[3]) {
    double normal[3] = {across, 0, -sqrt(fmax(1 - across * across, 0))}, half[3];
    for (int k = 0; k < 3; k++)
        half[k] = to_sun[k] + to_eye[k];
    double sun = ip_dot3(normal, to_sun), eye = fmax(ip_dot3(normal, to_eye), .1), cosine = fmax(ip_dot3(normal, half), 0) / sqrt(ip_dot3(half, half));
    if (sun <= 0)
        return 0;
    double below = cosine * cosine * (ROUGH * ROUGH - 1) + 1;
    return ROUGH * ROUGH / (below * below) * MIRRORS / (4 * eye) * fmin(sun / .15, 1);
}

static void light_metal(const ip_set_frame *f, const ip_lens *lens, const double toward[3], const ip_plane_f *poles, const ip_plane_f *own,
    const ip_plane_f *glint) {
    double sun[3];
    float unit = ip_relight_unit(own->width);
    ip_pose_turn(&f->view.pose, toward, sun);
    for (int y = 0; y < own->height; y++)
        for (int from = 0, to = 0; ip_mask_run(ip_row(poles, y), own->width, &from, &to);)
            for (int x = from; x < to && (float)(to - from) <= WIDE * unit; x++) {
                double sum = 0, eye[3] = {(lens->cx - x) / lens->focal, (lens->cy - y) / lens->focal, -1}, length = sqrt(ip_dot3(eye, eye));
                for (int k = 0; k < 3; k++)
                    eye[k] /= length;
                for (int k = 0; k < TAPS; k++)
                    sum += glint_at(2 * (x - from + (k + .5) / TAPS) / (to - from) - 1, sun, eye) / TAPS;
                ip_row(glint, y)[x] = (float)fmin(sum, 1) * ip_row(own, y)[x];
            }
}

static void find_glints(const ip_set_frame *f, const ip_lens *lens, const double toward[3], const ip_plane_f soft[3], ip_plane_f part[3], int threads,
    const ip_plane_f *glint) {
    int width = glint->width;
    for (int y = 0; y < glint->height; y++)
        for (int x = 0; x < width; x++)
            ip_row(&part[0], y)[x] = ip_row(&f->kind, y)[x] == IP_IS_THING;
    ip_mask_close(&part[0], &part[2], ip_relight_pixels(width, 1));
    ip_plane_fill(&part[1], 0);
    outline_metal(soft, &part[0], &part[1]);
    ip_box_blur(&part[1], &part[1], &part[2], 0, ip_relight_pixels(width, ALONG), threads);
    for (int y = 0; y < glint->height; y++)
        for (int x = 0; x < width; x++)
            ip_row(&part[0], y)[x] = ip_row(&part[1], y)[x] > OWN;
    light_metal(f, lens, toward, &part[0], &part[1], glint);
    ip_gauss_blur(glint, glint, &part[2], .5 * (double)ip_relight_unit(width), threads);
}

ipos_status ip_shine_find(const ip_set_frame *frame, const ip_lens *lens, const ip_image3 *light, const ip_relight_pair *pair, int threads,
    const ip_surface *surface) {
    ip_plane_f soft[3], part[3], pane = surface->pane;
    int width = surface->sky.width, height = surface->sky.height;
    IP_TRY(ip_planes_new(width, height, soft, 3));
    ipos_status status = ip_planes_new(width, height, part, 3);
    if (status == IPOS_OK) {
        for (int c = 0; c < 3; c++)
            ip_gauss_blur(&light->c[c], &soft[c], &part[0], (double)ip_relight_unit(width), threads);
        find_panes(frame, soft, &part[0], threads, &pane);
        if (ip_luminance(pair->now.sun) > 0)
            find_glints(frame, lens, pair->now.toward, soft, part, threads, &surface->glint);
        ip_planes_free(part, 3);
    }
    ip_planes_free(soft, 3);
    return status;
}
