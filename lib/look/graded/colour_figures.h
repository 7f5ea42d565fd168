/* What a set of colours looks like, in few figures. */
#ifndef IP_LOOK_COLOUR_FIGURES_H
#define IP_LOOK_COLOUR_FIGURES_H

#include "core.h"
#include "source.h"

enum { IP_COLOUR_FIGURES = 32 };

/* Of values in the source's working encoding: mean and median exposure and balance in the logarithm of linear light; quantiles of luma;
 * balance of the darkest, middle and brightest third and of what is nearest to grey; how far exposure and balance spread; how strong colours
 * are; black and white by channel; how much is at the end of the samples. At least one colour. */
ipos_status ip_colour_figures(const ip_look_source *source, const float (*code)[3], size_t count, double out[IP_COLOUR_FIGURES]);

#endif
