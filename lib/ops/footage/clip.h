/* Frames of clips as the operations read them: a cache over the host's fetch, boxes of colour as planes and back. Engine only.
 *
 * Nothing here is for more than one thread at a time. */
#ifndef IP_CLIP_H
#define IP_CLIP_H

#include "color.h"
#include "image.h"
#include "op.h"

typedef struct ip_clip {
    ip_op_host *host;
    size_t index;
    const ip_op_clip *clip;
    const ip_encoding *encoding;
    struct ip_clip_slot {
        int64_t number;
        uint64_t used;
        ipos_frame *frame;
    } *slots;
    size_t slot_count;
    uint64_t clock;
} ip_clip;
/* kept: how many frames stay at hand. */
ipos_status ip_clip_open(ip_clip *clip, ip_op_host *host, size_t index, size_t kept);
void ip_clip_close(ip_clip *clip);
/* Borrowed until `kept` other frames were asked for. IPOS_ERR_NOT_FOUND where there is none. */
ipos_status ip_clip_frame(ip_clip *clip, int64_t number, ipos_frame **out);
/* Of the frames kept this is the first to go: for what is looked at once. */
void ip_clip_spare(ip_clip *clip, int64_t number);
/* Lets go of all frames; they can be asked for again. */
void ip_clip_forget(ip_clip *clip);
/* Of its samples. */
uint64_t ip_frame_bytes(const ipos_frame *frame);
/* Keeps no more frames like this one than `bytes` hold, but `least`. The frame itself may go: ask for it again. */
void ip_clip_limit(ip_clip *clip, const ipos_frame *frame, uint64_t bytes, size_t least);
/* Colour of a box (position relative to origin, in the frame's pixel coordinates) in the working encoding. Outside the data window NaN. */
ipos_status ip_clip_colour(const ip_clip *clip, const ipos_frame *frame, ipos_box origin, ip_box_i box, const ip_image3 *to);
/* Puts samples with mask > 0 of a box back into the frame, out of the working encoding; all others keep their bits. A frame with one
 * colour channel takes the first plane. */
ipos_status ip_clip_put_colour(const ip_clip *clip, ipos_frame *frame, ipos_box origin, ip_box_i box, const ip_image3 *from, const ip_plane_f *mask);
/* The first colour channel (else the first channel) as it is, limited to 0..1: for mattes. Outside the data window 0. */
ipos_status ip_clip_grey(const ipos_frame *frame, ipos_box origin, ip_box_i box, const ip_plane_f *to);
/* The frame with that number, or, of a clip of one frame, that one: mattes that hold for all. As ip_clip_frame. */
ipos_status ip_clip_frame_or_only(ip_clip *clip, int64_t number, ipos_frame **out);
/* Frames of a clip that exist, ascending, first..last; the caller frees. */
ipos_status ip_clip_numbers(const ip_op_clip *clip, int64_t first, int64_t last, int64_t **numbers, size_t *count);

#endif
