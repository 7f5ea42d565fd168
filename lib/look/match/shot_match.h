/* A shot brought to the look of another: one global grade. */
#ifndef IP_LOOK_SHOT_MATCH_H
#define IP_LOOK_SHOT_MATCH_H

#include "grade_fit.h"
#include "record.h"

/* Where the two shots show the same things, those places are found (placing, then flow that does not see exposure) and the grade is the one that
 * gives their colours the quantiles of the reference's (ip_grade_fit_sets): a fit. Where they do not, what remains is a guess from the
 * colours both have: three gains in linear light, shrunk towards none: a suggestion, for a person to judge and never to be applied unseen. */
typedef struct ip_shot_match {
    ip_reading reading;     /* frames: of both shots, that were used. Not measurable: nothing usable in the pictures; the grade then is none */
    bool registered;        /* a fit; false: a suggestion */
    bool matching;          /* registered, and what a grade would gain is not worth moving for, or next to nobody could see it: the grade is none, bit-exact */
    int64_t places;         /* frame pairs that were laid over each other */
    int64_t pairs;          /* of colours that the fit rests on; of a suggestion: colours looked at */
    double share;           /* of the shot's picture that was found in the reference, the best frame pair; of a suggestion: of colours shared */
    double before, after;   /* median CIEDE2000 of the pairs; of a suggestion 0 */
    ip_grade grade;         /* on values in the working encoding */
    ip_cdl cdl;             /* the nearest ASC CDL */
    double cdl_error;       /* mean CIEDE2000 between both, over the shot's colours */
    const ip_encoding *encoding;
} ip_shot_match;

/* Up to three frames of each shot, evenly spread, at up to 480 pixels wide. Both sources in one encoding (else IPOS_ERR_ARGUMENT); sizes may
 * differ; a source of one frame is a reference frame. */
ipos_status ip_shot_match_measure(const ip_look_source *shot, const ip_look_source *reference, ip_shot_match *out);

/* Median CIEDE2000 of pairs of codes in the working encoding: as they are, and after the grade on `from`. */
ipos_status ip_shot_judge(const ip_encoding *encoding, const ip_grade_pair *pairs, size_t count, const ip_grade *grade, double *before, double *after);
/* Whether a grade that brings that difference from before to after gains too little to be worth moving for. */
bool ip_shot_matching(double before, double after);

/* shot_corners.c. Whether places that moved from one picture to the other show that light falls with the squared radius in both, as behind a lens that darkens
 * corners, which a grade would take for contrast; flat: the pairs as if the reference's
 * places had been behind the shot's lens. radius: squared, of half the diagonal, in the shot and in the reference. */
ipos_status ip_shot_flatten(const ip_encoding *encoding, const ip_grade_pair *pairs, float (*radius)[2], size_t count, ip_grade_pair *flat, bool *lens);

/* CIEDE2000 of two codes. */
double ip_shot_difference(const ip_encoding *encoding, const double a[3], const double b[3]);
/* Fills in the CDL nearest to the match's grade over the colours `from`. */
ipos_status ip_shot_match_cdl(const ip_grade_pair *codes, size_t count, ip_shot_match *match);

json_t *ip_shot_match_json(const ip_shot_match *match);
ipos_status ip_shot_match_parse(const json_t *value, ip_shot_match *out);

/* shot_suggest.c. The suggestion: logarithms of three gains in linear light that bring the shot's colours to the reference's. Linear R,G,B over 0 of
 * places evenly spread over the pictures, with the tile of a 3x3 raster they are in. shared: share of the shot's colours that the
 * reference has too. */
typedef struct ip_colour_at {
    float rgb[3];
    int tile;
} ip_colour_at;
ipos_status ip_suggest_gains(const ip_colour_at *shot, size_t shots, const ip_colour_at *reference, size_t references, double log_gain[3], double *shared);
/* The grade nearest to three gains in linear light over the colours `from`; fills in `to`. */
ipos_status ip_shot_gains_grade(const ip_encoding *encoding, ip_grade_pair *codes, size_t count, const double log_gain[3], ip_grade *out);

#endif
