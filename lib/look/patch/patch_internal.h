/* What the files of the patch share. */
#ifndef IP_LOOK_PATCH_INTERNAL_H
#define IP_LOOK_PATCH_INTERNAL_H

#include "grain_internal.h"
#include "overlay.h"
#include "patch.h"

enum { IP_PATCH_REACH = 2, IP_PATCH_WINDOW = 2 * IP_PATCH_REACH + 1, IP_PATCH_TAPS = 16 };

/* Frames around one, in the working encoding: the middle whole, the others parts of it, for measuring grain. */
typedef struct ip_patch_frames {
    ip_image3 middle;
    ip_box_i part;
    ip_image3 parts[IP_PATCH_WINDOW];
    size_t count, at; /* of parts; which of them is of the middle */
} ip_patch_frames;

typedef struct ip_patch_work {
    const ip_look_source *target, *donor;
    const ip_patch_options *options;
    const ip_image3 *image;
    ip_patch *out;
    ip_plane_f matte;         /* on the target, of its size: the caller's, or laid_matte */
    ip_plane_f laid_matte;
    ip_patch_frames frames;   /* of the donor */
    ip_overlay overlay;       /* target to donor at working size; agreed is 0 in the matte */
    bool alike;               /* the donor's grain is like the target's */
    double scale[2];          /* pixels of the frames for one at working size, target and donor */
    ip_box_i box;             /* of the target: the matte and what is looked at around it */
    /* of the box's size */
    ip_plane_f alpha;         /* share of the donor */
    ip_plane_f place[2];      /* where the donor's sample is, pixels of its frame */
    ip_plane_f there;         /* 1 where the donor has a picture */
    ip_plane_f agreed;        /* 1 outside the matte where both show the same */
    ip_image3 laid;           /* the donor's code, matched and corrected in turn */
    ip_image3 nearest;        /* the same unfiltered: its grain as the donor has it */
} ip_patch_work;

/* patch_lay.c: overlay, scale, out's transform and grade; false in *found where the frames do not lie over each other. Then box and all planes of it. */
ipos_status ip_patch_register(ip_patch_work *work, bool *found);
ipos_status ip_patch_lay(ip_patch_work *work);
/* patch_sample.c: Lanczos taps either way, an even number. Half-way between pixels eight leave .7 of the second differences' power of grain half a pixel
 * soft, Keys' cubic .4; the more, the more is left. */
typedef struct ip_patch_sampler {
    int count;
    float taps[IP_GRAIN_PHASES][IP_PATCH_TAPS];
} ip_patch_sampler;
void ip_patch_sampler_new(int count, ip_patch_sampler *out);
void ip_patch_sample(const ip_patch_sampler *sampler, const ip_image3 *from, const double at[2], float out[3]);
/* patch_light.c: the local correction of laid and nearest, and out's before, after and confidence. */
ipos_status ip_patch_light(ip_patch_work *work);
/* patch_grain.c */
ipos_status ip_patch_frames_get(const ip_look_source *source, size_t index, const ip_image3 *middle, ip_box_i around, bool alone, ip_patch_frames *out);
void ip_patch_frames_free(ip_patch_frames *frames);
/* The target's grain, and the donor's excess taken out of frames.middle before anything is laid; *usable: whether there is grain to add. */
ipos_status ip_patch_grain_prepare(ip_patch_work *work, const ip_patch_frames *target, ip_grain *grain, bool *usable);
/* Where no grain could be measured: interpolation takes from the donor's as it takes from fine detail, its nearest pixels have all of it. */
ipos_status ip_patch_keep_grain(ip_patch_work *work, int64_t frame);
ipos_status ip_patch_regrain(ip_patch_work *work, const ip_grain *grain, int64_t frame);

static inline void ip_look_code_image(const ip_look_source *source, const ip_image3 *image) {
    for (int c = 0; c < 3; c++)
        ip_look_code_plane(source, &image->c[c], &image->c[c]);
}

static inline ip_image3 ip_image3_part(const ip_image3 *image, ip_box_i box) {
    return (ip_image3){{ip_plane_part(&image->c[0], box), ip_plane_part(&image->c[1], box), ip_plane_part(&image->c[2], box)}};
}

#endif
