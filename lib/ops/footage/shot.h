/* One shot of a clip as the look's measurements read it: linear light or the working encoding, frame by frame. Engine only; one thread. */
#ifndef IP_SHOT_H
#define IP_SHOT_H

#include "clip.h"
#include "grain.h"
#include "source.h"

typedef struct ip_shot {
    ip_clip clip;
    int64_t *numbers; /* ascending */
    size_t count;
    ipos_box window;  /* the first frame's data window: that of all */
    int32_t type;     /* of its first colour channel: that of all */
    float *linear, *working; /* by sample value, for types of 8 and 16 bits; NULL: none */
} ip_shot;

/* Shots of a clip, longest first, at most `most`, without frames that repeat the one before; a gap ends a shot as a cut does, since what is
 * measured from frame to frame must not step over it. The caller closes each and frees the list. */
ipos_status ip_shots_of(ip_op_host *host, size_t clip, size_t most, ip_shot **shots, size_t *count);
/* The frames first..last that exist. */
ipos_status ip_shot_range(ip_op_host *host, size_t clip, int64_t first, int64_t last, ip_shot *out);
/* Those frames, ascending; the list is copied. */
ipos_status ip_shot_list(ip_op_host *host, size_t clip, const int64_t *numbers, size_t count, ip_shot *out);
/* Looks at the first frame. refused: why nothing can be measured on such pictures; "" if it can. */
ipos_status ip_shot_open(ip_shot *shot, char refused[160]);
/* ip_shot_range and ip_shot_open of what is needed: one that cannot be measured is IPOS_ERR_UNSUPPORTED. what: names the clip's part in the text
 * ("reference"). On failure ip_shot_close is due all the same. */
ipos_status ip_shot_use(ip_op_host *host, size_t clip, int64_t first, int64_t last, const char *what, ip_shot *out);
/* Where a frame is among numbers; count: it is not. */
size_t ip_shot_index(const ip_shot *shot, int64_t number);
void ip_shot_close(ip_shot *shot); /* lets go of frames and numbers */
/* A frame's colour in linear light, or in the working encoding. */
ipos_status ip_shot_frame(ip_shot *shot, size_t index, bool working, const ip_image3 *to);
/* Linear light over which samples are clipped; 0: nowhere. */
float ip_shot_clip(const ip_shot *shot);
/* All frames, for lib/look. The shot must outlive it. */
ip_look_source ip_shot_source(ip_shot *shot, const ip_pulse *pulse);
ip_grain_source ip_shot_grain_source(ip_shot *shot, ip_grain_options *options, const ip_pulse *pulse);

#endif
