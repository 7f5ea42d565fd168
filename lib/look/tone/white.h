/* White balance, and how it drifts over the frames. */
#ifndef IP_WHITE_H
#define IP_WHITE_H

#include "record.h"

enum { IP_WHITE_POINTS = 48 };

/* The level is an estimate from an assumption about the scene: that the steepest differences of a picture are grey on average (first-order
 * grey-edge, van de Weijer, Gevers, Gijsenij, IEEE TIP 2007) and so are its bright parts (shades of grey with p = 6, Finlayson and
 * Trezzi, CIC 2004). The mean of both is given, their disagreement decides the confidence. The drift assumes nothing of the kind: it is the gain of
 * the channels between flow-registered frames, summed along the clip. */
typedef struct ip_white {
    ip_reading level;         /* of red and blue */
    double red, blue;         /* what is grey reads linear R/G and B/G; 1, 1: neutral */
    double disagreement;      /* of the two estimates, natural logarithm, the worse channel */
    ip_reading drift;         /* of the path */
    double rms, most;         /* of the path about its mean, natural logarithm of R/G or B/G, the worse channel; and from one end to another */
    int64_t breaks;           /* cuts, where the path goes on as if nothing had changed */
    int64_t points;           /* in use of the following */
    double time[IP_WHITE_POINTS];     /* frame index */
    double red_path[IP_WHITE_POINTS]; /* natural logarithm of R/G and B/G against the first frame's */
    double blue_path[IP_WHITE_POINTS];
    double exposure_path[IP_WHITE_POINTS]; /* of G */
} ip_white;

/* On every fourth frame, or 48 evenly spread ones if that is fewer, at up to 480 pixels wide. Level not measurable: the estimates differ by more than .15 or
 * give a green or purple that no light has, or hardly any usable pixels. Drift not measurable: one frame, or more breaks than half of the steps. */
ipos_status ip_white_measure(const ip_look_source *source, ip_white *out);
size_t ip_white_frames(size_t count, size_t at[IP_LOOK_FRAMES]); /* those it looks at, ascending */

json_t *ip_white_json(const ip_white *white);
ipos_status ip_white_parse(const json_t *value, ip_white *out);

#endif
