/* A shot brought towards a measured look. What a look says of tone and colour it says of other pictures, so this goes part of the way, within
 * limits, and is a suggestion. */
#include "continuity_op.h"
#include "fingerprint.h"
#include "grade_fit.h"
#include "tone.h"
#include "white.h"

#include <math.h>

/* Contents differ: of a difference in what the pictures hold this much is taken for a difference in how they were shot. */
static const double TAKEN = .6, MOST_CONTRAST = .25, MOST_STOPS = 1, MOST_BALANCE = .25;
enum { MEDIAN = 5, LOW = 3, HIGH = 7, STEPS = 5 };

typedef struct toward {
    double shift, contrast, middle, saturation, gain[3]; /* code = middle + shift + contrast (code - middle), after gains in linear light */
    const ip_encoding *encoding;
} toward;

static ipos_status read_look(const ip_op_host *host, const ip_encoding *encoding, ip_tone *tone, ip_white *white) {
    const char *of = ip_options_text(host->options, "look_of");
    json_error_t error;
    const json_t *entry;
    json_t *look = json_loads(ip_options_text(host->options, "look"), 0, &error);
    if (!look)
        return ip_fail(IPOS_ERR_FORMAT, "look: line %d: %s; expected the document that measuring a look gives", error.line, error.text);
    ipos_status status = ip_fingerprint_check(look);
    if (status == IPOS_OK)
        status = ip_fingerprint_find(look, *of ? of : NULL, &entry);
    if (status == IPOS_OK) {
        const char *measured_in = json_string_value(json_object_get(entry, "encoding"));
        if (!measured_in || strcmp(measured_in, encoding->name) != 0)
            status = ip_fail(IPOS_ERR_ARGUMENT, "look: it was measured on %s and the clip is %s, expected one encoding; convert one of them",
                measured_in ? measured_in : "clips of several encodings", encoding->name);
    }
    if (status == IPOS_OK)
        status = ip_tone_parse(json_object_get(entry, "tone"), tone);
    if (status == IPOS_OK)
        status = ip_white_parse(json_object_get(entry, "white"), white);
    json_decref(look);
    return status;
}

static double within(double value, double most) { return fmax(-most, fmin(most, value)); }

static toward aim(const ip_encoding *encoding, const ip_tone *own, const ip_tone *other, const ip_white *mine, const ip_white *theirs) {
    toward t = {.middle = own->code[MEDIAN], .contrast = 1, .saturation = 1, .gain = {1, 1, 1}, .encoding = encoding};
    const double spread = own->code[HIGH] - own->code[LOW], wanted = other->code[HIGH] - other->code[LOW];
    const double stops = within(TAKEN * (other->stops[MEDIAN] - own->stops[MEDIAN]), MOST_STOPS), apart = other->stops[MEDIAN] - own->stops[MEDIAN];
    if (apart != 0)
        t.shift = (other->code[MEDIAN] - own->code[MEDIAN]) * stops / apart;
    if (spread > .02 && wanted > .02)
        t.contrast = exp(within(TAKEN * log(wanted / spread), MOST_CONTRAST));
    if (own->saturation > .005 && other->saturation > .005)
        t.saturation = exp(within(TAKEN * log(other->saturation / own->saturation), MOST_CONTRAST));
    if (ip_measured(&mine->level) && ip_measured(&theirs->level)) {
        t.gain[0] = exp(within(TAKEN * log(theirs->red / mine->red), MOST_BALANCE));
        t.gain[2] = exp(within(TAKEN * log(theirs->blue / mine->blue), MOST_BALANCE));
    }
    return t;
}

static void change_code(const toward *t, const float from[3], float to[3]) {
    double v[3], luma = 0;
    static const double weight[3] = {.2126, .7152, .0722};
    for (int c = 0; c < 3; c++) {
        const ip_look_source source = {.encoding = t->encoding};
        float code = ip_look_code(&source, (float)t->gain[c] * ip_look_linear(t->encoding, from[c]));
        v[c] = t->middle + t->shift + t->contrast * ((double)code - t->middle);
        luma += weight[c] * v[c];
    }
    for (int c = 0; c < 3; c++)
        to[c] = (float)(luma + t->saturation * (v[c] - luma));
}

/* The grade nearest to it over a raster of colours between the shot's black and white. */
static ipos_status fit(const toward *t, const ip_tone *own, ip_shot_match *out) {
    ip_grade_pair pairs[STEPS * STEPS * STEPS];
    size_t count = 0;
    for (int i = 0; i < STEPS * STEPS * STEPS; i++) {
        const int at[3] = {i % STEPS, i / STEPS % STEPS, i / STEPS / STEPS};
        for (int c = 0; c < 3; c++)
            pairs[count].from[c] = (float)(own->black[c] + (own->white[c] - own->black[c]) * (at[c] + .5) / STEPS);
        change_code(t, pairs[count].from, pairs[count].to);
        count++;
    }
    IP_TRY(ip_grade_fit_pairs(pairs, count, &out->grade));
    IP_TRY(ip_cdl_fit(&out->grade, pairs, count, &out->cdl));
    out->pairs = (int64_t)count;
    return IPOS_OK;
}

ipos_status ic_toward_look(ic_run *run, ic_part *part, ip_shot_match *out) {
    const ip_look_source source = ip_shot_source(&part->shot, &run->teller.pulse);
    ip_tone own = {0}, other = {0};
    ip_white mine = {0}, theirs = {0};
    *out = (ip_shot_match){.grade = ip_grade_none(), .cdl = {{1, 1, 1}, {0, 0, 0}, {1, 1, 1}, 1}, .encoding = source.encoding};
    IP_TRY(read_look(run->host, source.encoding, &other, &theirs));
    IP_TRY(ip_tone_measure(&source, &own));
    IP_TRY(ip_white_measure(&source, &mine));
    out->reading.frames = own.reading.frames;
    if (!ip_measured(&own.reading) || !ip_measured(&other.reading)) {
        ip_not_measurable(&out->reading, "tone: %s", ip_measured(&own.reading) ? other.reading.reason : own.reading.reason);
        return IPOS_OK;
    }
    const toward t = aim(source.encoding, &own, &other, &mine, &theirs);
    out->reading.confidence = .3;
    return fit(&t, &own, out);
}
