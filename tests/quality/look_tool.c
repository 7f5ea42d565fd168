/* Measurements of the look on raw frames, for look_optics.py:
 *
 *   look_tool WHAT WIDTH HEIGHT ENCODING CLIP FILE [FRAME X Y W H]
 *
 * FILE: 32-bit float R,G,B of every pixel in linear light, frames one after another. CLIP: linear value samples end at, 0: none. WHAT: the
 * measurement, or its chart with .svg behind; the box is for skin and light. One line of JSON to stdout. */
#include "bloom.h"
#include "charts.h"
#include "chroma.h"
#include "flicker.h"
#include "gain.h"
#include "light.h"
#include "sharp.h"
#include "skin.h"
#include "tone.h"
#include "tool_frames.h"
#include "vignette.h"
#include "white.h"

/* Measures and gives the JSON of it, read back and written again: what is printed went through both directions. */
#define MEASURE(name)                                              \
    static json_t *name(const ip_look_source *source, char **more) { \
        (void)more;                                                \
        ip_##name out, again;                                      \
        must(ip_##name##_measure(source, &out));                   \
        json_t *value = ip_##name##_json(&out);                    \
        must(ip_##name##_parse(value, &again));                    \
        json_decref(value);                                        \
        return ip_##name##_json(&again);                           \
    }
MEASURE(bloom)
MEASURE(vignette)
MEASURE(chroma)
MEASURE(sharp)
MEASURE(tone)
MEASURE(white)
MEASURE(flicker)

static ip_region region_of(char **more) {
    int v[5] = {0};
    for (int i = 0; i < 5; i++)
        v[i] = more[i] ? atoi(more[i]) : 0;
    return (ip_region){.frame = (size_t)v[0], .box = {v[1], v[2], v[3], v[4]}};
}

static json_t *skin(const ip_look_source *source, char **more) {
    ip_skin out;
    ip_region region = region_of(more);
    must(ip_skin_measure(source, &region, &out));
    return ip_skin_json(&out);
}

static json_t *light(const ip_look_source *source, char **more) {
    ip_light out;
    ip_region region = region_of(more);
    must(ip_light_measure(source, &region, &out));
    return ip_light_json(&out);
}

/* The chart in place of the figures, as a JSON text. */
#define CHART(name)                                                        \
    static json_t *name##_chart(const ip_look_source *source, char **more) { \
        (void)more;                                                        \
        ip_##name out;                                                     \
        must(ip_##name##_measure(source, &out));                           \
        char *svg = ip_##name##_svg(&out, NULL);                           \
        must(svg ? IPOS_OK : IPOS_ERR_NO_MEMORY);                          \
        json_t *text = json_string(svg);                                   \
        ip_free(svg);                                                      \
        return text;                                                       \
    }
CHART(bloom)
CHART(vignette)
CHART(sharp)
CHART(tone)
CHART(white)

static json_t *skin_chart(const ip_look_source *source, char **more) {
    ip_skin out;
    ip_region region = region_of(more);
    must(ip_skin_measure(source, &region, &out));
    char *svg = ip_skin_svg(&out, NULL, 1, NULL);
    json_t *text = json_string(svg);
    ip_free(svg);
    return text;
}

/* Between the first frame and the second, at up to 480 pixels wide. */
static json_t *gain(const ip_look_source *source, char **more) {
    (void)more;
    ip_image3 a, b;
    ip_gain out;
    must(ip_look_fetch(source, 0, 480, &a));
    must(ip_look_fetch(source, 1, 480, &b));
    must(ip_gain_between(source, &a, &b, &out));
    ip_image3_free(&a);
    ip_image3_free(&b);
    return json_pack("{s:[f,f,f], s:f, s:f, s:f}", "log", out.log[0], out.log[1], out.log[2], "error", out.error, "share", out.share, "spread", out.spread);
}

static const struct {
    const char *name;
    json_t *(*measure)(const ip_look_source *source, char **more);
} kinds[] = {{"bloom", bloom}, {"vignette", vignette}, {"chroma", chroma}, {"sharp", sharp}, {"tone", tone}, {"white", white}, {"flicker", flicker},
    {"skin", skin}, {"light", light}, {"gain", gain}, {"bloom.svg", bloom_chart}, {"vignette.svg", vignette_chart},
    {"sharp.svg", sharp_chart}, {"tone.svg", tone_chart}, {"white.svg", white_chart}, {"skin.svg", skin_chart}};

int main(int count, char **arg) {
    if (count < 7) {
        fprintf(stderr, "usage: look_tool WHAT WIDTH HEIGHT ENCODING CLIP FILE\n");
        return 2;
    }
    film f;
    film_open(&f, (char *[]){arg[2], arg[3], arg[6]}, ip_encoding_find(arg[4]), strtof(arg[5], NULL));
    int status = 2;
    for (size_t i = 0; i < IP_COUNT(kinds); i++) {
        if (strcmp(kinds[i].name, arg[1]) != 0)
            continue;
        json_t *value = kinds[i].measure(&f.source, arg + 7);
        char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        printf("%s\n", text);
        free(text);
        json_decref(value);
        status = 0;
    }
    film_close(&f);
    return status;
}
