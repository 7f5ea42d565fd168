/* What was asked for, in words and numbers. */
#include "relight_op.h"
#include "sun.h"

#include <math.h>

/* A number, or NAN where it is left to us. */
static ipos_status number(const ip_op_host *host, const char *name, double least, double most, double *out) {
    const char *text = ip_options_text(host->options, name);
    *out = NAN;
    if (!*text || !strcmp(text, "auto"))
        return IPOS_OK;
    if (!ip_parse_real(text, out) || !(*out >= least && *out <= most))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: \"%s\" is not a number from %g to %g, or auto", name, text, least, most);
    return IPOS_OK;
}

/* The sun of a time as seen by the camera; *found says whether there is one. */
static ipos_status by_time(const ip_op_host *host, const char *name, ip_light_ask *light, bool *found) {
    const char *time = ip_options_text(host->options, name), *where = ip_options_text(host->options, "place");
    double days, heading;
    ip_place place;
    *found = false;
    if (!*time)
        return IPOS_OK;
    IP_TRY(ip_moment_parse(time, name, &days));
    IP_TRY(number(host, "heading", -360, 360, &heading));
    if (!*where || isnan(heading))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: the sun's place needs %s too: give latitude,longitude as place and degrees clockwise from north as heading",
            name, *where ? "heading" : "place");
    IP_TRY(ip_place_parse(where, "place", &place));
    ip_sun sun = ip_sun_at(place, days);
    if (sun.elevation < -18)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: at %s it is night, the sun %.0f degrees below the horizon: choose a time by day or at dusk", name, time,
            -sun.elevation);
    light->azimuth = remainder(sun.azimuth - heading, 360);
    light->elevation = sun.elevation;
    light->weather = light->weather == IP_OVERCAST ? IP_OVERCAST : sun.elevation < 0 ? IP_DUSK : IP_CLEAR;
    *found = true;
    return IPOS_OK;
}

/* One light: what the preset says, over it what the time says, over it what the numbers say. */
static ipos_status one_light(const ip_op_host *host, const char *const names[4], double azimuth, const char *otherwise, ip_light_ask *out, const char **from, bool *elevation_told) {
    double given_azimuth, given_elevation;
    bool found;
    ip_light_preset(ip_options_text(host->options, names[0]), out);
    out->azimuth = azimuth;
    *from = otherwise;
    IP_TRY(by_time(host, names[1], out, &found));
    if (found)
        *from = "time";
    IP_TRY(number(host, names[2], -360, 360, &given_azimuth));
    IP_TRY(number(host, names[3], -18, 90, &given_elevation));
    *elevation_told = found || !isnan(given_elevation);
    if (!isnan(given_azimuth)) {
        out->azimuth = given_azimuth;
        *from = "given";
    }
    if (!isnan(given_elevation)) {
        out->elevation = given_elevation;
        if (out->weather != IP_OVERCAST)
            out->weather = given_elevation < 0 ? IP_DUSK : IP_CLEAR;
    }
    return IPOS_OK;
}

static ipos_status read_variants(const ip_op_host *host, ir_settings *out) {
    const char *asked = ip_options_text(host->options, "variants");
    bool all = !strcmp(asked, "all"), any = false;
    for (const char *at = asked; !all && *at;) {
        size_t length = strcspn(at, ",");
        int v = 0;
        while (v < IR_VARIANTS && (strlen(ir_variant_names[v]) != length || strncmp(at, ir_variant_names[v], length)))
            v++;
        if (v == IR_VARIANTS)
            return ip_fail(IPOS_ERR_ARGUMENT, "variants: \"%.*s\" in \"%s\" is none of full, gentle, hard, sun, geometry; or ask for all", (int)length, at, asked);
        at += length + (at[length] == ',');
    }
    for (int v = 0; v < IR_VARIANTS; v++) {
        out->offered[v] = (all && v != IR_GEOMETRY) || ip_in_list(asked, ir_variant_names[v]);
        any = any || out->offered[v];
    }
    return any ? IPOS_OK : ip_fail(IPOS_ERR_ARGUMENT, "variants: nothing is asked for: name some of full, gentle, hard, sun, geometry, or ask for all");
}

ipos_status ir_settings_read(const ip_op_host *host, ir_settings *out) {
    static const char *const old_names[4] = {"old_light", "old_time", "old_azimuth", "old_elevation"};
    static const char *const new_names[4] = {"light", "time", "azimuth", "elevation"};
    const ip_option_values *set = host->options;
    double horizon;
    bool told;
    *out = (ir_settings){.strength = (float)ip_options_real(set, "strength"), .haze = (float)ip_options_real(set, "haze"),
        .bloom = (float)ip_options_real(set, "bloom"), .focal = (float)ip_options_real(set, "focal"), .geometry = ip_options_text(set, "geometry"),
        .glow = (float)ip_options_real(set, "glow"), .mirror = (float)ip_options_real(set, "mirror"), .grain = (float)ip_options_real(set, "grain"),
        .camera_height = (float)ip_options_real(set, "camera_height"),
        .regrade = {(float)ip_options_real(set, "exposure"), (float)ip_options_real(set, "lift"), (float)ip_options_real(set, "shadow"),
            (float)ip_options_real(set, "softness")}};
    IP_TRY(read_variants(host, out));
    IP_TRY(number(host, "horizon", -1, 2, &horizon));
    out->horizon = isnan(horizon) ? -1e9f : (float)horizon;
    IP_TRY(one_light(host, old_names, 150, "assumed", &out->old, &out->old_from, &out->old_elevation_told));
    IP_TRY(one_light(host, new_names, out->old.azimuth, "light", &out->now, &out->new_from, &told));
    bool same = out->old.azimuth == out->now.azimuth && out->old.elevation == out->now.elevation && out->old.weather == out->now.weather;
    double ambient = ip_options_real(set, "ambient"), tint = ip_options_real(set, "tint");
    out->now.ambient = ambient;
    out->now.tint = tint;
    out->unchanged = out->strength == 0 || (same && ambient == 1 && tint == 0 && out->regrade.exposure == 0);
    out->look_for_old = !strcmp(out->old_from, "assumed") && out->old.weather == IP_CLEAR && (!out->unchanged || out->offered[IR_SUN]);
    out->now_follows = !strcmp(out->new_from, "light");
    return ir_settings_pairs(out);
}

ipos_status ir_settings_pairs(ir_settings *settings) {
    ip_light_ask hard = settings->now;
    hard.ambient *= .7;
    IP_TRY(ip_daylight_pair(&settings->old, &settings->now, &settings->pair));
    IP_TRY(ip_daylight_pair(&settings->old, &hard, &settings->hard));
    if (!settings->reference)
        return IPOS_OK;
    ip_relight_pair formula = settings->pair, *led = &settings->pair;
    ip_reference_lead(&settings->own, settings->reference, led);
    for (int c = 0; c < 3; c++) { /* harder by as much as before */
        settings->hard.now.sun[c] = led->now.sun[c];
        settings->hard.now.ambient[c] *= led->now.ambient[c] / formula.now.ambient[c];
        settings->hard.sky[c] = led->sky[c];
    }
    return IPOS_OK;
}
