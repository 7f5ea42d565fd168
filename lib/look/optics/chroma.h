/* Lateral chromatic aberration: how much larger the red and the blue picture are than the green one.
 *
 * Scale by image registration (Lucas and Kanade, IJCAI 1981) of locally normalised channels, as Boult and Wolberg, "Correcting Chromatic
 * Aberrations Using Image Warping" (CVPR 1992), model it to first order. A shift of whole channels (4:2:0 siting, a misaligned
 * beam splitter) is fitted beside the scale and does not count. */
#ifndef IP_CHROMA_H
#define IP_CHROMA_H

#include "record.h"

typedef struct ip_chroma_channel {
    ip_reading reading;
    double corner;          /* pixels a detail in the corner lies further out than in green; below 0: further in */
    double shift_x, shift_y; /* pixels the whole channel lies to the right of and below green */
    double error;           /* standard error of corner over parts of the data, pixels */
} ip_chroma_channel;

typedef struct ip_chroma {
    int64_t width, height; /* of the frames: what pixels refer to */
    ip_chroma_channel red, blue;
} ip_chroma;

/* On at most six frames at full size. Not measurable: too little detail alike in the channels, or less than .15 pixel or three standard
 * errors, which footage without any aberration reads as well. */
ipos_status ip_chroma_measure(const ip_look_source *source, ip_chroma *out);

/* Rescales red and blue about the centre (bicubic), in place: add as a lens does, remove back. Channels without a measurement stay. */
ipos_status ip_chroma_add(const ip_chroma *chroma, const ip_image3 *image);
ipos_status ip_chroma_remove(const ip_chroma *chroma, const ip_image3 *image);

json_t *ip_chroma_json(const ip_chroma *chroma);
ipos_status ip_chroma_parse(const json_t *value, ip_chroma *out);

#endif
