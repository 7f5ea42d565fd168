/* What is drawn: looks and curves in the proportions of real rigging, and the grain of the plate under them. */
#include "wire_draw.h"
#include <math.h>
#include <stdlib.h>

static const float TURN = 6.2831853f;

static float between(ip_rng *rng, float low, float high) {
    return low + (high - low) * (float)ip_rng_unit(rng);
}

static float log_between(ip_rng *rng, float low, float high) {
    return low * powf(high / low, (float)ip_rng_unit(rng));
}

static bool chance(ip_rng *rng, double share) {
    return ip_rng_unit(rng) < share;
}

enum kind { STEEL, PAINTED, ROPE, NYLON };

static enum kind random_kind(ip_rng *rng) {
    double at = ip_rng_unit(rng);
    return at < .25 ? ROPE : at < .37 ? NYLON : at < .75 ? STEEL : PAINTED;
}

static void random_width(ip_rng *rng, enum kind kind, float scale, ip_wire_look *look) {
    float width;
    if (kind == ROPE)
        width = log_between(rng, 4.f, 8.f);
    else if (kind == NYLON)
        width = log_between(rng, .8f, 3.f); /* thinner and half clear: nothing to see, nothing to learn */
    else
        width = chance(rng, .15) ? log_between(rng, 6.f, 12.f) : log_between(rng, .5f, 6.f);
    float taper = chance(rng, .3) ? between(rng, .75f, 1.f) : 1.f; /* it runs away from the camera */
    bool thin_first = chance(rng, .5);
    for (int i = 0; i < 2; i++) {
        float w = width * ((i == 0) == thin_first ? taper : 1.f) * scale;
        look->width[i] = fminf(fmaxf(w, .4f), 14.f);
    }
}

/* The mean of the colour is exactly as far from the plate's as the contrast drawn; hues are of the plate's own, faded, with a tint. */
static float random_colour(ip_rng *rng, bool low, enum kind kind, const float local[3], float range, ip_wire_look *look) {
    float mean = (local[0] + local[1] + local[2]) / 3.f, contrast = between(rng, .03f, .10f);
    if (!low)
        contrast = kind == ROPE ? log_between(rng, .10f, .45f) : log_between(rng, .10f, .9f);
    float step = range * contrast * (chance(rng, kind == ROPE ? .7 : .5) ? 1.f : -1.f);
    float least = fminf(0.f, mean), most = fmaxf(1.f, mean); /* plates end at 0 and 1, most of them */
    if (mean + step < least || mean + step > most)
        step = mean - step < least || mean - step > most ? (step < 0.f ? least : most) - mean : -step;
    float hue = low ? between(rng, .7f, 1.f) : between(rng, 0.f, .6f), tint[3], middle = 0.f;
    float spread = range * (low ? .007f : .007f + .03f * contrast);
    for (int c = 0; c < 3; c++) {
        tint[c] = hue * (local[c] - mean) + spread * fminf(fmaxf((float)ip_rng_normal(rng), -2.f), 2.f);
        middle += tint[c] / 3.f;
    }
    for (int c = 0; c < 3; c++)
        look->colour[c] = mean + step + tint[c] - middle;
    return fminf(most - mean - step, range); /* room above it */
}

static void random_surface(ip_rng *rng, bool low, enum kind kind, float scale, float range, float room, ip_wire_look *look) {
    float width = .5f * (look->width[0] + look->width[1]);
    look->shade = range * between(rng, -1.f, 1.f) * (low ? .12f : .35f);
    bool shiny = (kind == STEEL && chance(rng, .5)) || (kind == NYLON && chance(rng, .5)) || (kind == PAINTED && chance(rng, .2));
    if (shiny)
        look->highlight = fminf(range * (low ? between(rng, .02f, .08f) : log_between(rng, .05f, .4f)), fmaxf(room, 0.f));
    bool strands = kind == ROPE ? chance(rng, .65) : kind == STEEL && chance(rng, .35);
    if (strands && width > 1.5f) {
        look->twist_period = fmaxf(width * between(rng, .4f, 1.1f), 2.f);
        look->twist_depth = range * (low ? between(rng, .01f, .04f) : between(rng, .015f, .09f));
    }
    if (chance(rng, .5))
        look->lengthwise = range * (low ? between(rng, .005f, .02f) : between(rng, .01f, .06f));
    look->opacity = kind == NYLON ? between(rng, .3f, .8f) : 1.f;
    /* What is in focus still went through a lens. */
    look->defocus = chance(rng, kind == ROPE ? .6 : .2) ? scale * log_between(rng, .5f, 2.f) : between(rng, .1f, .49f) * fminf(scale, 1.f);
}

void ip_wire_look_random(ip_rng *rng, float scale, const float local[3], float range, float grain, ip_wire_look *look) {
    scale = fminf(fmaxf(scale, .25f), 2.f); /* NaN gives .25 */
    *look = (ip_wire_look){0};
    enum kind kind = random_kind(rng);
    bool low = chance(rng, kind == ROPE ? .5 : .25);
    random_width(rng, kind, scale, look);
    float room = random_colour(rng, low, kind, local, range, look);
    random_surface(rng, low, kind, scale, range, room, look);
    if (chance(rng, .35)) {
        float length = scale * log_between(rng, 2.f, 14.f), angle = between(rng, 0.f, TURN);
        look->motion[0] = length * cosf(angle);
        look->motion[1] = length * sinf(angle);
    }
    look->grain = fmaxf(grain, 0.f) * between(rng, .8f, 1.2f);
}

enum { STATIONS = 40 };

/* How far a wire is from its chord, as parts of its length, by t = 0..1 along it; 0 at the ends. */
typedef struct bend {
    float sag, fall;              /* catenary: depth; how sharply it hangs */
    float wave[3][2];             /* amplitude, phase of 1, 2, 3 half turns and a bit */
    float loop, loop_at, loop_span; /* radius, place, part of the wire */
    float gravity;                /* 1: down the picture; 0: across the chord */
    float side;
} bend;

static bend random_bend(ip_rng *rng) {
    bend b = {.side = chance(rng, .5) ? 1.f : -1.f};
    double at = ip_rng_unit(rng);
    if (at < .4) {
        b.sag = chance(rng, .5) ? 0.f : log_between(rng, .002f, .015f); /* under tension */
    } else if (at < .7) {
        b.sag = log_between(rng, .015f, .3f);
        b.fall = between(rng, .3f, 2.5f);
        b.gravity = chance(rng, .6) ? 1.f : 0.f;
    } else {
        b.sag = between(rng, 0.f, .1f);
        b.gravity = 1.f;
        for (int i = 0; i < 3; i++) {
            b.wave[i][0] = .12f / (float)(1 + i) * fminf(fmaxf((float)ip_rng_normal(rng), -2.f), 2.f);
            b.wave[i][1] = between(rng, 0.f, TURN);
        }
        if (chance(rng, .3)) {
            b.loop = between(rng, .06f, .14f);
            b.loop_at = between(rng, .4f, .6f);
            b.loop_span = between(rng, .1f, .25f);
        }
    }
    return b;
}

/* Offset from the chord in its own frame (along, across) and downwards. */
static void bent(const bend *b, float t, float off[3]) {
    float u = 2.f * t - 1.f, k = b->fall, hang = k > 0.f ? (coshf(k) - coshf(k * u)) / (coshf(k) - 1.f) : 1.f - u * u;
    float window = sinf(.5f * TURN * t);
    off[0] = 0.f;
    off[1] = b->side * (1.f - b->gravity) * b->sag * hang;
    off[2] = b->gravity * b->sag * hang;
    for (int i = 0; i < 3; i++)
        off[1] += window * b->wave[i][0] * sinf(TURN * (.6f + .7f * (float)i) * t + b->wave[i][1]);
    if (b->loop > 0.f) {
        float at = fminf(fmaxf((t - b->loop_at) / b->loop_span + .5f, 0.f), 1.f), turn = TURN * at;
        off[0] += b->loop * sinf(turn);
        off[1] += b->side * b->loop * (1.f - cosf(turn));
    }
}

ipos_status ip_wire_curve_random(ip_rng *rng, int width, int height, float step, ip_curve *out) {
    *out = (ip_curve){0};
    if (width < 1 || height < 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "wire: a curve in %dx%d", width, height);
    bend b = random_bend(rng);
    float w = (float)width, h = (float)height, angle = between(rng, 0.f, TURN), tx = cosf(angle), ty = sinf(angle);
    ip_point mid = {w * between(rng, .1f, .9f), h * between(rng, .1f, .9f)};
    bool ends = chance(rng, .3), both = ends && chance(rng, .3);
    /* A circle about the picture, wide enough that an end on it stays outside whatever the bend moves. */
    float cx = mid.x - .5f * w, cy = mid.y - .5f * h, radius = .5f * hypotf(w, h), along = cx * tx + cy * ty;
    float across = cx * ty - cy * tx, size = 2.f * radius;
    float out_at = sqrtf(fmaxf(1.7f * 1.7f * radius * radius - across * across, 0.f)), from = -along - out_at, to = out_at - along;
    if (ends) { /* the place held in view is the end; most run through the middle, or there would be little to see */
        from = 0.f;
        if (along > 0.f && chance(rng, .75)) {
            tx = -tx;
            ty = -ty;
            to = out_at + along;
        }
    }
    if (both)
        to = size * between(rng, .15f, .5f);
    float hold = ends ? 0.f : -from / (to - from), at[3];
    bent(&b, hold, at);
    float length = fminf(to - from, size);
    ip_point p[STATIONS + 1];
    for (int i = 0; i <= STATIONS; i++) {
        float t = (float)i / STATIONS, off[3], s = from + t * (to - from);
        bent(&b, t, off);
        for (int k = 0; k < 3; k++)
            off[k] = length * (off[k] - at[k]);
        p[i] = (ip_point){mid.x + (s + off[0]) * tx - off[1] * ty, mid.y + (s + off[0]) * ty + off[1] * tx + off[2]};
    }
    return ip_curve_spline(p, STATIONS + 1, step, out);
}

static float luma_at(const ip_image3 *image, int x, int y) {
    return .2126f * ip_row(&image->c[0], y)[x] + .7152f * ip_row(&image->c[1], y)[x] + .0722f * ip_row(&image->c[2], y)[x];
}

/* The second difference along both axes (Immerkaer, CVIU 1996) lets ramps and straight edges along them vanish; the median lets the rest
 * of the drawing vanish. White noise of 1 gives 6. */
float ip_plate_grain(const ip_image3 *image) {
    enum { SITES = 1 << 15 };
    int w = image->c[0].width - 2, h = image->c[0].height - 2;
    if (w < 1 || h < 1)
        return 0.f;
    float *found = ip_alloc(SITES * sizeof *found);
    if (!found)
        return 0.f;
    int64_t all = (int64_t)w * h, sites = IP_MIN(all, (int64_t)SITES);
    size_t count = 0;
    for (int64_t i = 0; i < sites; i++) {
        int64_t at = i * all / sites;
        int x = (int)(at % w) + 1, y = (int)(at / w) + 1;
        float sum = 0.f;
        for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++)
                sum += (float)((dx ? -1 : 2) * (dy ? -1 : 2)) * luma_at(image, x + dx, y + dy);
        if (isfinite(sum))
            found[count++] = fabsf(sum);
    }
    qsort(found, count, sizeof *found, ip_by_float);
    float grain = count ? found[count / 2] / (6.f * .6745f) : 0.f;
    ip_free(found);
    return grain;
}
