#include "wire_shape.h"
#include <math.h>

enum { MERGED_MOST = 64 };       /* points in one strip */
static const float FLAT = .04f;  /* pixels a strip may leave the curve */
static const float WIDEST = 64.f;

static bool usable(ip_point p) {
    return fabsf(p.x) < 1e6f && fabsf(p.y) < 1e6f; /* false for NaN */
}

static bool straight(const ip_point *at, size_t a, size_t b) {
    float dx = at[b].x - at[a].x, dy = at[b].y - at[a].y, length = hypotf(dx, dy);
    if (length < 1e-3f)
        return false;
    for (size_t i = a + 1; i < b; i++) {
        float px = at[i].x - at[a].x, py = at[i].y - at[a].y, along = (px * dx + py * dy) / length;
        if (fabsf(px * dy - py * dx) > FLAT * length || along < 0.f || along > length)
            return false;
    }
    return true;
}

static void add_strip(wire *w, ip_point a, ip_point b) {
    float dx = b.x - a.x, dy = b.y - a.y, length = hypotf(dx, dy);
    if (length < 1e-3f)
        return;
    strip s = {.x = a.x, .y = a.y, .tx = dx / length, .ty = dy / length, .length = length, .from = w->length};
    float wide = fmaxf(fabsf(s.tx), fabsf(s.ty)), thin = fmaxf(fminf(fabsf(s.tx), fabsf(s.ty)), 1e-3f);
    s.flat = .5f * (wide - thin);
    s.end = .5f * (wide + thin);
    s.slope = 1.f / wide;
    s.bend = .5f / (wide * thin);
    s.first = w->count == 0;
    w->strips[w->count++] = s;
    w->length += length;
}

static ipos_status make_strips(wire *w, const ip_curve *curve) {
    ip_curve clean;
    IP_TRY(ip_curve_copy(curve, &clean));
    size_t n = 0;
    for (size_t i = 0; i < curve->count; i++)
        if (usable(curve->at[i]))
            clean.at[n++] = curve->at[i];
    w->strips = ip_alloc(IP_MAX(n, (size_t)1) * sizeof *w->strips);
    if (!w->strips) {
        ip_curve_free(&clean);
        return IPOS_ERR_NO_MEMORY;
    }
    for (size_t a = 0; a + 1 < n;) {
        size_t b = a + 1;
        while (b + 1 < n && b + 1 - a <= MERGED_MOST && straight(clean.at, a, b + 1))
            b++;
        add_strip(w, clean.at[a], clean.at[b]);
        a = b;
    }
    ip_curve_free(&clean);
    if (w->count)
        w->strips[w->count - 1].last = true;
    return w->count ? IPOS_OK : ip_fail(IPOS_ERR_ARGUMENT, "wire: fewer than two finite points apart from each other");
}

/* A lit cylinder: light falls by the angle of its surface (so by u and sqrt(1 - u^2) across), mean 0, and a highlight on the lit side. */
static void make_section(wire *w) {
    float shade = w->look->shade, at = shade > 0.f ? .3f : shade < 0.f ? -.3f : 0.f, sum = 0.f;
    w->section[0] = 0.f;
    for (int i = 0; i < SECTION; i++) {
        float u = 2.f * ((float)i + .5f) / SECTION - 1.f, h = (u - at) / .35f;
        sum += .5f * shade * u + .4f * fabsf(shade) * (sqrtf(1.f - u * u) - .785f) + w->look->highlight * expf(-.5f * h * h);
        w->section[i + 1] = sum / SECTION;
    }
}

static ipos_status make_tables(wire *w) {
    const ip_wire_look *look = w->look;
    make_section(w);
    for (int i = 0; i < WAVE; i++)
        w->wave[i] = sinf(6.2831853f * (float)i / WAVE);
    ip_rng rng = ip_rng_at(w->seed, 0x77697265);
    w->chevron = ip_rng_unit(&rng) < .5;
    w->strand_slant = (ip_rng_unit(&rng) < .5 ? -1.f : 1.f) * (w->chevron ? .5f : .35f);
    if (look->twist_depth > 0.f && look->twist_period > 1.f) { /* a pixel takes the mean of the pattern under it */
        float x = 3.14159265f / look->twist_period;
        w->strand_gain = look->twist_depth * sinf(x) / x;
    }
    w->slow_count = (size_t)(fminf(w->length, 1e6f) / SLOW_STEP) + 2;
    w->slow = ip_calloc(w->slow_count, sizeof *w->slow);
    if (!w->slow)
        return IPOS_ERR_NO_MEMORY;
    for (int wave = 0; wave < 3 && look->lengthwise > 0.f; wave++) {
        float turn = 6.2831853f * SLOW_STEP / (20.f * powf(8.f, (float)ip_rng_unit(&rng)));
        float phase = 6.2831853f * (float)ip_rng_unit(&rng);
        for (size_t i = 0; i < w->slow_count; i++)
            w->slow[i] += .8165f * look->lengthwise * sinf(fmodf(turn * (float)i, 6.2831853f) + phase);
    }
    return IPOS_OK;
}

ipos_status ip_wire_shape(const ip_curve *curve, const ip_wire_look *look, uint64_t seed, wire *out) {
    *out = (wire){.look = look, .seed = ip_mixed(seed)};
    const float *numbers[] = {look->width, look->colour, look->motion};
    const size_t counts[] = {2, 3, 2};
    double sum = (double)look->opacity + look->shade + look->highlight + look->twist_period + look->twist_depth + look->lengthwise +
        look->defocus + look->grain;
    for (size_t i = 0; i < IP_COUNT(numbers); i++)
        for (size_t j = 0; j < counts[i]; j++)
            sum += numbers[i][j];
    if (!isfinite(sum))
        return ip_fail(IPOS_ERR_ARGUMENT, "wire: its look has numbers that are not finite");
    for (int i = 0; i < 2; i++)
        out->half[i] = .5f * fminf(fmaxf(look->width[i], .01f), WIDEST);
    ipos_status status = make_strips(out, curve);
    if (status == IPOS_OK)
        status = make_tables(out);
    if (status != IPOS_OK)
        ip_wire_shape_free(out);
    return status;
}

void ip_wire_shape_free(wire *w) {
    ip_free(w->strips);
    ip_free(w->slow);
    w->strips = NULL;
    w->slow = NULL;
}

/* A disk by the area it has in each pixel; a small one, which that would lose, by three taps of its variance r^2/4. */
void ip_wire_kernel(float radius, kernel *k) {
    memset(k, 0, sizeof *k);
    if (radius < .6f) {
        float side_tap = radius * radius / 8.f, tap[3] = {side_tap, 1.f - 2.f * side_tap, side_tap};
        k->radius = radius > .05f;
        for (int y = -k->radius; y <= k->radius; y++)
            for (int x = -k->radius; x <= k->radius; x++)
                k->weight[y + k->radius][x + k->radius] = k->radius ? tap[y + 1] * tap[x + 1] : 1.f;
        return;
    }
    enum { FINE = 8 };
    k->radius = IP_MIN((int)ceilf(radius - .5f), (int)DEFOCUS_MOST);
    float sum = 0.f;
    int size = 2 * k->radius + 1;
    for (int j = 0; j < size * FINE; j++)
        for (int i = 0; i < size * FINE; i++) {
            float x = ((float)i + .5f) / FINE - .5f * (float)size, y = ((float)j + .5f) / FINE - .5f * (float)size;
            float in = x * x + y * y <= radius * radius ? 1.f : 0.f;
            k->weight[j / FINE][i / FINE] += in;
            sum += in;
        }
    for (int j = 0; j < size; j++)
        for (int i = 0; i < size; i++)
            k->weight[j][i] /= sum;
}
