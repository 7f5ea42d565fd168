/* A matted region carried from another frame or take: registered, matched in light, regrained. */
#ifndef IP_LOOK_PATCH_H
#define IP_LOOK_PATCH_H

#include "grade.h"
#include "grain.h"
#include "record.h"

typedef struct ip_patch_options { /* all 0: the defaults */
    bool matte_of_donor;    /* the matte lies on the donor's frame; else on the target's */
    bool no_relight;        /* neither the global nor the local match of colours */
    bool no_regrain;
    double feather;         /* pixels that the patch fades out over, beyond the matte's own edge; 0: 3; below 0: none */
    uint64_t seed;          /* of the grain: the same for the same frame and seed */
    float step;             /* of the code values the frames came from (1/255 for 8 bits), 0: not quantised; for measuring grain */
    const ip_grain *grain;  /* the target's; NULL: measured here, from up to five frames around the target's */
} ip_patch_options;

typedef struct ip_patch {
    ip_reading reading;     /* not measurable: the frames do not lie over each other, or the donor shows nothing of the region; the image is then as it was */
    double homography[9];   /* target to donor, pixels of the frames at working size (see ip_overlay), row-major */
    double residual;        /* median of what flow found beside it, pixels of the donor's frame */
    double share;           /* of the matte that was taken from the donor, 0..1; the rest is as it was */
    ip_grade grade;         /* the donor's working code values to the target's */
    double before, after;   /* root mean square on the ring around the matte, code values: of the globally matched donor less the target; after the local match */
    ip_reading regrain;     /* not measurable: no grain could be measured, so none was added */
    double grain_added;     /* mean share of the target's grain variance that was missing and added, 0..1 */
    double grain_kept;      /* where grain could not be measured: mean share of the donor's nearest pixels in fine detail, which have its grain whole, 0..1 */
    bool grain_removed;     /* the donor had more grain than the target, which was taken out first */
    ip_box_i box;           /* nothing outside was touched */
    ip_plane_f evidence;    /* of the target's size: 1 where samples come from the donor, all or in part, else 0 */
    ip_plane_f confidence;  /* 0..1 there: how well light and structure agree on the nearest surroundings, less the deeper in the matte; 1 elsewhere */
} ip_patch;

/* image: the target's frame in the working encoding, in place; outside the feathered matte every bit stays, whatever it is. target, donor: one
 * encoding (else IPOS_ERR_ARGUMENT), sizes may differ. matte: 0..1, of the size of the frame it lies on (else IPOS_ERR_ARGUMENT).
 *
 * The donor is laid over by ip_overlay_find, then by a flow at full size in a box around the matte, both made from what is not matted: into the matte
 * the flow goes on smoothly, as the region itself differs. Colours: the grade of ip_overlay_match, then a correction that is harmonic in the matte and on
 * its border what the ring around lacks, robustly averaged (the membrane of Perez, Gangnet, Blake, "Poisson Image Editing", SIGGRAPH
 * 2003): ratios on display codes, offsets on logs. Grain: excess of the donor's is taken out, what interpolation took is given back; where none can be
 * measured, what is finer than a Gaussian of 1.5 pixels is that of the donor's nearest pixels, as strong as the target's beside the matte, but for edges
 * and as far as the two frames' fine detail there has nothing in common; then what is finer than one of .7 pixels as strong as the target's there. Target frames within two of target_frame but not that one, then donor frames within two of donor_frame, are fetched in ascending order. The same bits for any number
 * of threads. options may be NULL; the caller frees the patch. */
ipos_status ip_patch_make(const ip_look_source *target, size_t target_frame, const ip_look_source *donor, size_t donor_frame, const ip_plane_f *matte,
    const ip_patch_options *options, const ip_image3 *image, ip_patch *out);
void ip_patch_free(ip_patch *patch);

/* The figures without the planes. NULL: out of memory. */
json_t *ip_patch_json(const ip_patch *patch);

#endif
