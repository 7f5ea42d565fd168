/* Fills rehearsed on clean dailies: wires are drawn as mattes over frames that need none, the whole pipeline fills them, and what the
 * frames really show is the truth. */
#ifndef IP_WIRES_REHEARSE_H
#define IP_WIRES_REHEARSE_H

#include "wires_op.h"

enum { IW_CROP = 128 };

/* Everything the network sees of a crop, the truth, the classical fill and the hole; packed planes in one block. */
typedef struct iw_crop {
    float *store; /* NULL: empty */
    int width, height;
    size_t clip;
} iw_crop;

/* Fills around one frame of a clip; appends up to `most` crops, those with the largest holes. rng decides the mattes. canvas: of the
 * clip's frames. */
ipos_status iw_rehearse(ip_clip *clip, size_t clip_index, int64_t number, int reach, ip_rng *rng, size_t most, ipos_status (*tick)(void *), void *user,
    iw_crop *crops, size_t *count);
size_t iw_crop_bytes(void);
void iw_crop_example(const iw_crop *crop, ip_fuse_example *out);
/* Makes what lies outside the hole unknown, so that scores speak of the hole alone. */
void iw_crop_hide(iw_crop *crop);
/* dB in the hole: of the classical fill and of a picture (packed R, G, B planes of the crop's size). */
void iw_crop_score(const iw_crop *crop, const float *picture, double *classical, double *made);

#endif
