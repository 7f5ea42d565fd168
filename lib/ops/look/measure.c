/* All measurements of one shot. */
#include "look_op.h"

#include "bloom.h"
#include "chroma.h"
#include "flicker.h"
#include "sharp.h"
#include "tone.h"
#include "vignette.h"
#include "white.h"

static ipos_status fetch_chosen(void *user, size_t index, const ip_image3 *to) {
    const il_view *view = user;
    return ip_shot_frame(view->shot, view->at[index], false, to);
}

ip_look_source il_source(il_run *run, il_view *view) {
    ip_look_source source = ip_shot_source(view->shot, &run->teller.pulse);
    if (view->count) {
        source.count = view->count;
        source.fetch = fetch_chosen;
        source.user = view;
    }
    return source;
}

ipos_status il_step(il_run *run, double done, const char *clip, const char *what) {
    run->done = done;
    return ip_teller_say(&run->teller, done, "measuring %.100s: %s", clip, what);
}

/* Every reading of a record without a measurement gets the reason. */
static void refuse(ip_reading *reading, const char *why) { ip_not_measurable(reading, "%s", why); }

static void refuse_bloom(ip_bloom *out, const char *why) {
    refuse(&out->luma.reading, why);
    for (int c = 0; c < 3; c++)
        refuse(&out->channel[c].reading, why);
    for (int k = 0; k < IP_BLOOM_KERNELS; k++)
        out->sigma[k] = 1.; /* what reads records back asks for widths */
}
static void refuse_chroma(ip_chroma *out, const char *why) {
    refuse(&out->red.reading, why);
    refuse(&out->blue.reading, why);
}
static void refuse_white(ip_white *out, const char *why) {
    refuse(&out->level, why);
    refuse(&out->drift, why);
}
static void refuse_vignette(ip_vignette *out, const char *why) { refuse(&out->reading, why); }
static void refuse_sharp(ip_sharp *out, const char *why) { refuse(&out->reading, why); }
static void refuse_tone(ip_tone *out, const char *why) { refuse(&out->reading, why); }
static void refuse_flicker(ip_flicker *out, const char *why) { refuse(&out->reading, why); }

/* Footage that a measurement does not take (too small) is no failure of the job: it says what it says. */
#define MEASURE(name)                                                                                              \
    static ipos_status measure_##name(const ip_look_source *source, const char *refused, json_t **out) {           \
        ip_##name record = {0};                                                                                    \
        ipos_status status = *refused ? IPOS_ERR_ARGUMENT : ip_##name##_measure(source, &record);                  \
        if (status == IPOS_ERR_ARGUMENT) {                                                                         \
            record = (ip_##name){0};                                                                               \
            refuse_##name(&record, *refused ? refused : ipos_last_error());                                        \
        } else if (status != IPOS_OK) {                                                                            \
            return status;                                                                                         \
        }                                                                                                          \
        return (*out = ip_##name##_json(&record)) ? IPOS_OK : ip_no_memory(1024);                                  \
    }
MEASURE(bloom)
MEASURE(vignette)
MEASURE(chroma)
MEASURE(sharp)
MEASURE(tone)
MEASURE(white)
MEASURE(flicker)

static ipos_status grain_of(il_run *run, ip_shot *shot, ip_grain *out) {
    ip_grain_options options;
    const ip_grain_source source = ip_shot_grain_source(shot, &options, &run->teller.pulse);
    return ip_grain_measure(&source, &options, out);
}

static ipos_status measure_grain(il_run *run, ip_shot *shot, const char *refused, json_t **out) {
    ip_grain *grain = ip_calloc(1, sizeof *grain);
    char *text = NULL;
    if (!grain)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = *refused ? IPOS_ERR_ARGUMENT : grain_of(run, shot, grain);
    if (status == IPOS_ERR_ARGUMENT) {
        *grain = (ip_grain){0};
        snprintf(grain->reason, sizeof grain->reason, "%s", *refused ? refused : ipos_last_error());
        status = IPOS_OK;
    }
    if (status == IPOS_OK)
        status = ip_grain_to_json(grain, &text);
    ip_free(grain);
    IP_TRY(status);
    *out = json_loads(text, 0, NULL);
    ip_free(text);
    return *out ? IPOS_OK : ip_no_memory(4096);
}

static const struct {
    const char *name, *what;
    double begins; /* share of a shot's time spent before it */
    enum { SINGLES, COMPARED, ITSELF } frames;
    ipos_status (*measure)(const ip_look_source *source, const char *refused, json_t **out); /* NULL: grain */
} kinds[IP_LOOK_KINDS] = {{"tone", "tone", .2, SINGLES, measure_tone}, {"sharp", "sharpness", .25, SINGLES, measure_sharp},
    {"chroma", "chromatic aberration", .3, SINGLES, measure_chroma}, {"bloom", "bloom", .4, SINGLES, measure_bloom},
    {"vignette", "vignette", .45, COMPARED, measure_vignette}, {"flicker", "flicker", .6, COMPARED, measure_flicker},
    {"white", "white balance", .7, COMPARED, measure_white}, {"grain", "grain", .8, ITSELF, NULL}};

static il_view singles_of(ip_shot *shot) {
    il_view view = {.shot = shot, .count = ip_look_spread(shot->count, IL_SINGLES)};
    for (size_t i = 0; i < view.count; i++)
        view.at[i] = ip_look_spread_at(shot->count, view.count, i);
    return view;
}

ipos_status il_measure(il_run *run, ip_shot *shot, const char *refused, double share, json_t **out) {
    il_view whole = {.shot = shot}, singles = singles_of(shot);
    const char *clip = shot->clip.clip->name;
    const double begin = run->done;
    const ip_look_source all = il_source(run, &whole);
    il_small small = {0};
    json_t *made = json_object();
    ipos_status status = made ? il_step(run, begin, clip, "reading frames") : ip_no_memory(256);
    if (status == IPOS_OK && !*refused)
        status = il_gather(shot, &all, &singles, &small);
    for (size_t i = 0; status == IPOS_OK && i < IP_LOOK_KINDS; i++) {
        const ip_look_source source = kinds[i].frames == SINGLES ? il_source(run, &singles) : small.image ? il_small_source(&small) : all;
        json_t *value = NULL;
        status = il_step(run, begin + share * kinds[i].begins, clip, kinds[i].what);
        if (status == IPOS_OK)
            status = kinds[i].measure ? kinds[i].measure(&source, refused, &value) : measure_grain(run, shot, refused, &value);
        if (status == IPOS_OK && json_object_set_new(made, kinds[i].name, value) != 0)
            status = ip_no_memory(1024);
    }
    il_small_free(&small);
    if (status == IPOS_OK)
        *out = made;
    else
        json_decref(made);
    return status;
}
