/* Exposure flicker and rolling bands taken out of a run of frames; cuts, fades and light switches are left.
 *
 * In two steps: a plan from all frames, then every frame's gains on its samples, in any order. */
#ifndef IP_DEFLICKER_H
#define IP_DEFLICKER_H

#include "source.h"

enum { IP_DEFLICKER_BANDS = 16 };

typedef struct ip_deflicker_options { /* all 0: the defaults */
    bool level;       /* take out slow drift of exposure too, fades included: every stretch between cuts and switches gets one level */
    bool global_only; /* no rolling bands */
} ip_deflicker_options;

typedef struct ip_deflicker_frame {
    float log_gain[IP_DEFLICKER_BANDS]; /* to apply: natural logarithm, linear light, at the middle of each of 16 equal bands of rows, top first */
    float exposure;   /* read: natural logarithm against the shot's mean */
    float trend;      /* what of it is no flicker */
    float confidence; /* 0..1: how much of the frame was seen in its neighbours, and whether its left and right half say the same */
    int32_t shot;     /* counts cuts */
    int32_t stretch;  /* counts cuts and light switches */
} ip_deflicker_frame;

typedef struct ip_deflicker_plan {
    ip_reading reading;  /* not measurable: no frame has gains */
    size_t count;
    ip_deflicker_frame *frame;
    int64_t shots, stretches;
    int64_t treated;     /* shots with gains other than 1; the rest is to stay as it is, bit for bit */
    double rms;          /* of the flicker of treated shots and of what was read in the others, natural logarithm */
    double band_rms;     /* of what differs between bands of rows */
    double agreement;    /* correlation of that flicker between the left and the right half of the picture, -1..1 */
    double bands_agreement; /* the same of what differs between bands */
} ip_deflicker_plan;

/* Reads the source once, frame by frame. Log-ratios of flow-registered pixels over 1, 2 and 5 frames (Delon, "Movie and Video Scale-Time
 * Equalization", IEEE TIP 2006, compares histograms instead, which motion changes) give a path of exposure for each band of rows. What is
 * no flicker is a piecewise smooth trend: steps are light switches, the rest a Whittaker smoother (Eilers, Analytical Chemistry 2003)
 * across them or between them, whose stiffness generalised cross-validation chooses (waves under 15 frames are flicker to all of them), or, where that score says
 * so, levels (deflicker_level.c) or a fade between two of them (deflicker_fade.c), for a stretch or for all. A shot is left alone where its flicker is below 1 %, or where the halves of its picture do not flicker alike, which is
 * what moving things do. options may be NULL. */
ipos_status ip_deflicker_plan_new(const ip_look_source *source, const ip_deflicker_options *options, ip_deflicker_plan *out);
/* Several plans of one reading: options[i] gives out[i]. On failure none is left. */
ipos_status ip_deflicker_plans_new(const ip_look_source *source, const ip_deflicker_options *options, size_t count, ip_deflicker_plan *out);
void ip_deflicker_plan_free(ip_deflicker_plan *plan);

/* Multiplies linear light by a frame's gains, smooth from row to row, in place. image: R,G,B in the working encoding of `encoding`
 * (ip_to_working). clip: as in ip_look_source; where it is not 0, gains below 1 fade out from .95 clip to clip, so that white, of which
 * nothing is known, stays white. Rows of gain 1 and samples that are not finite keep their bits; negative samples and those over clip
 * are scaled like others. Display and log encodings are exact to 1e-5 of code. */
ipos_status ip_deflicker_apply(const ip_deflicker_frame *frame, const ip_encoding *encoding, float clip, const ip_image3 *image, int threads);

#endif
