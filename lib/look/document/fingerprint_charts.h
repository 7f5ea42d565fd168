/* The charts of the document that charts.h does not have, by the same rules. */
#ifndef IP_FINGERPRINT_CHARTS_H
#define IP_FINGERPRINT_CHARTS_H

#include "charts.h"
#include "flicker.h"
#include "grain.h"

/* Standard deviation over luma, by channel, in per cent of the working encoding's 0..1; dots where it was measured. */
char *ip_grain_svg(const ip_grain *grain, const char *title);
/* Gain from frame to frame, per cent. */
char *ip_flicker_svg(const ip_flicker *flicker, const char *title);

#endif
