#include "old_sun.h"
#include "daylight.h"
#include "gauss.h"

#include <math.h>

enum { WIDE = 320, STEP = 12, STEPS = 30, FIRST = 10, LAST = 70, ELSEWHERE = 35 }; /* pixels; degrees */
static const double BLUR = 3;     /* pixels of the reduced frames: thrown shadows are off by about that much */
static const float FOUND = .004f; /* share of what was looked at that has to be shadow */
static const float FITS = .08f, SURE_FIT = .5f, SURE_LEAD = .2f;

/* A frame at the size the search works at. */
typedef struct small_view {
    ip_set_frame frame;
    ip_plane_f shade, still, behind;
} small_view;

typedef struct search {
    const ip_room *room;
    ip_lens lens;
    small_view view[IP_OLD_SUN_VIEWS];
    const ip_set_frame *frames[IP_OLD_SUN_VIEWS];
    size_t count;
    int threads;
    const ip_pulse *pulse;
    bool any; /* something throws shadows */
} search;

typedef struct tried {
    double azimuth, elevation, fits;
} tried;

/* Every nth sample: kinds and depths are no averages. */
static ipos_status reduce(const ip_plane_f *from, int by, ip_plane_f *out) {
    IP_TRY(ip_plane_new(from->width / by, from->height / by, out));
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            ip_row(out, y)[x] = ip_row(from, by * y + by / 2)[by * x + by / 2];
    return IPOS_OK;
}

static ipos_status reduce_view(const search *s, const ip_old_sun_view *from, int by, small_view *out) {
    const ip_set_frame *f = from->frame;
    out->frame.view.pose = f->view.pose;
    IP_TRY(reduce(&f->view.inverse, by, &out->frame.view.inverse));
    IP_TRY(reduce(&f->view.agreeing, by, &out->frame.view.agreeing));
    IP_TRY(reduce(&f->room, by, &out->frame.room));
    IP_TRY(reduce(&f->wall, by, &out->frame.wall));
    IP_TRY(reduce(&f->kind, by, &out->frame.kind));
    IP_TRY(reduce(from->still, by, &out->still));
    IP_TRY(reduce(from->shade, by, &out->shade));
    IP_TRY(ip_plane_new(out->shade.width, out->shade.height, &out->behind));
    return ip_cast_behind(s->room, &out->frame, &s->lens, s->threads, &out->behind);
}

static void search_free(search *s) {
    for (size_t i = 0; i < s->count; i++) {
        ip_set_frame_free(&s->view[i].frame);
        ip_plane_free(&s->view[i].shade);
        ip_plane_free(&s->view[i].still);
        ip_plane_free(&s->view[i].behind);
    }
}

/* What a surface turned away from the sun lacks, a cast shadow lacks too. */
static void turn_away(const search *s, const ip_set_frame *f, const double toward[3], const ip_plane_f *shade) {
    for (int y = 0; y < shade->height; y++)
        for (int x = 0; x < shade->width; x++) {
            int wall = (int)ip_row(&f->wall, y)[x];
            float *to = &ip_row(shade, y)[x], seen = *to;
            if (ip_row(&f->kind, y)[x] == IP_IS_UPRIGHT && s->room->walls) {
                const double *n = s->room->wall[wall > 0 ? wall - 1 : 0].normal;
                seen *= (float)fmin(fmax((n[0] * toward[0] + n[2] * toward[2]) / .1, 0), 1);
            }
            *to = 1 - seen;
        }
}

/* Sums of one class: 1, s, d, ss, dd, sd. */
static void add_sums(const small_view *v, const ip_plane_f *thrown, double sums[2][6]) {
    for (int y = 0; y < thrown->height; y++)
        for (int x = 0; x < thrown->width; x++) {
            if (ip_row(&v->still, y)[x] <= .5f)
                continue;
            double *to = sums[ip_row(&v->frame.kind, y)[x] == IP_IS_GROUND], a = (double)ip_row(thrown, y)[x], b = (double)ip_row(&v->shade, y)[x];
            to[0]++;
            to[1] += a;
            to[2] += b;
            to[3] += a * a;
            to[4] += b * b;
            to[5] += a * b;
        }
}

/* Correlation within classes. Hardly any shadow thrown is no fit, however well that little lies. */
static double correlation(double sums[2][6]) {
    double cov = 0, a = 0, b = 0;
    for (int k = 0; k < 2; k++) {
        double n = fmax(sums[k][0], 1);
        cov += sums[k][5] - sums[k][1] * sums[k][2] / n;
        a += sums[k][3] - sums[k][1] * sums[k][1] / n + .003 * sums[k][0];
        b += sums[k][4] - sums[k][2] * sums[k][2] / n;
    }
    return a > 0 && b > 0 ? cov / sqrt(a * b) : 0;
}

static ipos_status try_sun(search *s, double azimuth, double elevation, tried *out) {
    double toward[3], sums[2][6] = {{0}};
    ip_caster caster;
    ip_plane_f thrown[2];
    if (!ip_alive(s->pulse))
        return ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
    ip_sun_toward(azimuth, elevation, toward);
    IP_TRY(ip_caster_make(s->room, s->frames, s->count, &s->lens, toward, &caster));
    s->any = s->any || caster.far;
    ipos_status status = ip_planes_new(s->view[0].shade.width, s->view[0].shade.height, thrown, 2);
    for (size_t i = 0; i < s->count && status == IPOS_OK; i++) {
        ip_caster_seen(&caster, &s->view[i].behind, &s->view[i].frame, &s->lens, s->threads, &thrown[0]);
        turn_away(s, &s->view[i].frame, toward, &thrown[0]);
        ip_gauss_blur(&thrown[0], &thrown[0], &thrown[1], BLUR, s->threads);
        add_sums(&s->view[i], &thrown[0], sums);
    }
    ip_planes_free(thrown, 2);
    ip_caster_free(&caster);
    *out = (tried){azimuth, elevation, correlation(sums)};
    return status;
}

static double degrees_apart(const tried *a, const tried *b) {
    double p[3], q[3];
    ip_sun_toward(a->azimuth, a->elevation, p);
    ip_sun_toward(b->azimuth, b->elevation, q);
    return acos(fmax(fmin(p[0] * q[0] + p[1] * q[1] + p[2] * q[2], 1), -1)) * 57.29577951308232;
}

/* Closer and closer around the best. */
static ipos_status refine(search *s, bool free_elevation, tried *best) {
    for (double step = STEP / 2.; step > 1; step /= 2)
        for (int again = 0; again < 3; again++) {
            static const int ways[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
            tried middle = *best, one;
            for (int w = 0; w < (free_elevation ? 4 : 2); w++) {
                double up = middle.elevation + ways[w][1] * step;
                if (up < 5 || up > 85)
                    continue;
                IP_TRY(try_sun(s, remainder(middle.azimuth + ways[w][0] * step, 360), up, &one));
                if (one.fits > best->fits)
                    *best = one;
            }
            if (best->fits <= middle.fits)
                break;
        }
    return IPOS_OK;
}

static ipos_status look_everywhere(search *s, double elevation, ip_old_sun *out) {
    enum { ROWS = (LAST - FIRST) / STEP + 1 };
    tried all[ROWS * STEPS], best = {.fits = -2};
    size_t count = 0;
    double elsewhere = 0;
    int rows = isnan(elevation) ? ROWS : 1;
    for (int row = 0; row < rows; row++)
        for (int i = 0; i < STEPS; i++) {
            IP_TRY(try_sun(s, -180 + STEP * i, rows > 1 ? FIRST + STEP * row : elevation, &all[count]));
            if (all[count].fits > best.fits)
                best = all[count];
            count++;
        }
    IP_TRY(refine(s, rows > 1, &best));
    for (size_t i = 0; i < count; i++)
        if (degrees_apart(&all[i], &best) > ELSEWHERE)
            elsewhere = fmax(elsewhere, all[i].fits);
    out->azimuth = best.azimuth;
    out->elevation = best.elevation;
    out->fits = (float)best.fits;
    out->confidence = fminf((float)best.fits / SURE_FIT, 1) * fminf((float)((best.fits - elsewhere) / fmax(best.fits, 1e-6)) / SURE_LEAD, 1);
    out->confidence = fmaxf(out->confidence, 0);
    if (!s->any)
        snprintf(out->reason, sizeof out->reason, "nothing stands before the set that could throw a shadow");
    else if (best.fits < (double)FITS)
        snprintf(out->reason, sizeof out->reason, "the shadows that were found fit no sun (%.2f at best)", best.fits);
    return IPOS_OK;
}

static double share_found(const search *s) {
    double found = 0, all = 0;
    for (size_t i = 0; i < s->count; i++)
        for (int y = 0; y < s->view[i].still.height; y++)
            for (int x = 0; x < s->view[i].still.width; x++) {
                all += ip_row(&s->view[i].still, y)[x] > .5f;
                found += ip_row(&s->view[i].still, y)[x] > .5f && ip_row(&s->view[i].shade, y)[x] > .5f;
            }
    return found / fmax(all, 1);
}

/* Shadows that were found, as soft as those that are thrown. */
static ipos_status soften(const search *s) {
    ip_plane_f tmp;
    IP_TRY(ip_plane_new(s->view[0].shade.width, s->view[0].shade.height, &tmp));
    for (size_t i = 0; i < s->count; i++)
        ip_gauss_blur(&s->view[i].shade, &s->view[i].shade, &tmp, BLUR, s->threads);
    ip_plane_free(&tmp);
    return IPOS_OK;
}

ipos_status ip_old_sun_find(const ip_old_sun_view *views, size_t count, const ip_room *room, const ip_lens *lens, double elevation, int threads,
    const ip_pulse *pulse, ip_old_sun *out) {
    int by = IP_MAX(1, (int)lround(views[0].shade->width / (double)WIDE));
    search s = {.room = room, .lens = {lens->focal / by, (lens->cx - by / 2) / by, (lens->cy - by / 2) / by}, .threads = threads, .pulse = pulse};
    ipos_status status = IPOS_OK;
    *out = (ip_old_sun){0};
    for (; s.count < IP_MIN(count, (size_t)IP_OLD_SUN_VIEWS) && status == IPOS_OK; s.count++) {
        s.frames[s.count] = &s.view[s.count].frame;
        status = reduce_view(&s, &views[s.count], by, &s.view[s.count]);
    }
    if (status == IPOS_OK && share_found(&s) < (double)FOUND)
        snprintf(out->reason, sizeof out->reason, "hardly any shadow was found (%.1f %% of ground and walls)", 100 * share_found(&s));
    else if (status == IPOS_OK) {
        status = soften(&s);
        if (status == IPOS_OK)
            status = look_everywhere(&s, elevation, out);
    }
    search_free(&s);
    return status;
}
