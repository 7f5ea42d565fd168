#include "daylight.h"

#include <math.h>

static const double PI = 3.14159265358979323846;
static const double clear_sky[3] = {.55, .9, 1.75};

bool ip_light_preset(const char *name, ip_light_ask *out) {
    static const struct {
        const char *name;
        ip_light_ask light;
    } presets[] = {
        {"golden-hour", {0, 7, IP_CLEAR, 1, 0}},
        {"midday", {0, 58, IP_CLEAR, 1, 0}},
        {"overcast", {0, 45, IP_OVERCAST, 1, 0}},
        {"blue-hour", {0, -5, IP_DUSK, 1, 0}},
    };
    for (size_t i = 0; i < IP_COUNT(presets); i++)
        if (!strcmp(name, presets[i].name)) {
            *out = presets[i].light;
            return true;
        }
    return false;
}

void ip_sun_colour(double elevation, double rgb[3]) {
    static const double micrometre[3] = {.61, .55, .465}, rayleigh[3] = {.063, .098, .190};
    double seen = fmax(elevation, 1), mass = 1 / (sin(seen * PI / 180) + .50572 * pow(seen + 6.07995, -1.6364));
    for (int c = 0; c < 3; c++)
        rgb[c] = exp(-(rayleigh[c] + .08 * pow(micrometre[c], -1.3)) * mass);
}

void ip_sun_toward(double azimuth, double elevation, double toward[3]) {
    double a = azimuth * PI / 180, e = elevation * PI / 180;
    toward[0] = cos(e) * sin(a);
    toward[1] = sin(e);
    toward[2] = cos(e) * cos(a);
}

void ip_sun_across(const double toward[3], double side[3], double over[3]) {
    double flat = hypot(toward[0], toward[2]);
    side[0] = flat > 1e-6 ? toward[2] / flat : 1;
    side[1] = 0;
    side[2] = flat > 1e-6 ? -toward[0] / flat : 0;
    over[0] = side[1] * toward[2] - side[2] * toward[1];
    over[1] = side[2] * toward[0] - side[0] * toward[2];
    over[2] = side[0] * toward[1] - side[1] * toward[0];
}

/* Share of the sun's luminance and of blue in the light of the sky: a low sun leaves more of both. */
static void shade_of(const ip_light_ask *ask, double *density, double *blue) {
    double low = fmin(fmax((58 - ask->elevation) / (58 - 7), 0), 1);
    *density = .15 + .02 * low;
    *blue = .3 + .2 * low;
    if (ask->weather == IP_OVERCAST) {
        *density = .5;
        *blue = .12;
    } else if (ask->weather == IP_DUSK) {
        *density = .14;
        *blue = .85;
    }
    *density *= ask->ambient > 0 ? ask->ambient : 1;
    *blue += ask->tint * (ask->tint > 0 ? 1 - *blue : *blue);
}

/* sun: of the luminance that the light is to have. */
static void fall(const ip_light_ask *ask, const double sun[3], ip_daylight *out) {
    double density, blue, colour[3], level = ip_luminance(sun), white = ip_luminance(clear_sky);
    static const double grey[3] = {1, 1, 1};
    const double *base = ask->weather == IP_CLEAR ? sun : grey; /* under clouds and at dusk the sun's own colour does not come through */
    shade_of(ask, &density, &blue);
    for (int c = 0; c < 3; c++)
        colour[c] = pow(base[c] / ip_luminance(base), 1 - blue) * pow(clear_sky[c] / white, blue);
    for (int c = 0; c < 3; c++) {
        out->ambient[c] = density * level * colour[c] / ip_luminance(colour);
        out->sun[c] = ask->weather == IP_CLEAR ? sun[c] : 0;
    }
    ip_sun_toward(ask->azimuth, ask->elevation, out->toward);
}

/* The sky loses less light than the sun and takes on a third of its tint; clouds and dusk have their own. */
static void sky_gain(const ip_light_ask *old, const ip_light_ask *now, const double before[3], const double after[3], double gain[3]) {
    static const double shade[3][3] = {{1, 1, 1}, {1.25, 1.05, .82}, {.16, .24, .42}};
    double was = ip_luminance(before), is = ip_luminance(after);
    for (int c = 0; c < 3; c++) {
        gain[c] = pow(was / is, .35) * pow(after[c] / is / (before[c] / was), 1. / 3);
        if (now->weather != IP_CLEAR)
            gain[c] = 1;
        gain[c] *= shade[now->weather][c] / shade[old->weather][c];
    }
}

static bool sane(const ip_light_ask *ask) {
    return isfinite(ask->azimuth) && ask->elevation >= -18 && ask->elevation <= 90 && isfinite(ask->tint) && isfinite(ask->ambient);
}

ipos_status ip_daylight_pair(const ip_light_ask *old, const ip_light_ask *now, ip_relight_pair *out) {
    double before[3], after[3];
    if (!sane(old) || !sane(now))
        return ip_fail(IPOS_ERR_ARGUMENT, "elevation: %g and %g were asked for: the old and the new sun may stand at -18 to 90 degrees",
            old->elevation, now->elevation);
    ip_sun_colour(old->elevation, before);
    ip_sun_colour(now->elevation, after);
    sky_gain(old, now, before, after, out->sky);
    double scale = ip_luminance(before) / ip_luminance(after);
    for (int c = 0; c < 3; c++)
        after[c] *= scale;
    fall(old, before, &out->old);
    fall(now, after, &out->now);
    return IPOS_OK;
}
