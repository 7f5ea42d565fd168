/* The fingerprint as pictures. All give an SVG document that the caller frees with ip_free; NULL: out of memory. A measurement that is
 * not there gives empty axes with the reason. title: NULL for the chart's own. */
#ifndef IP_LOOK_CHARTS_H
#define IP_LOOK_CHARTS_H

#include "bloom.h"
#include "sharp.h"
#include "skin.h"
#include "tone.h"
#include "vignette.h"
#include "white.h"

/* Light of the halo per pixel over the distance from a lamp, logarithmic, for luma and each channel. */
char *ip_bloom_svg(const ip_bloom *bloom, const char *title);
/* Gain from the centre to the corners. */
char *ip_vignette_svg(const ip_vignette *vignette, const char *title);
/* Luma in the working encoding over the share of pixels below it. */
char *ip_tone_svg(const ip_tone *tone, const char *title);
/* Means and ellipses of one and two standard deviations in u', v', with the white point; names may be NULL. */
char *ip_skin_svg(const ip_skin *skins, const char *const *names, size_t count, const char *title);
/* R/G, B/G and exposure along the frames, in per cent of the first. */
char *ip_white_svg(const ip_white *white, const char *title);
/* Modulation over spatial frequency. */
char *ip_sharp_svg(const ip_sharp *sharp, const char *title);

#endif
