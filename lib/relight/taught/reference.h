/* The colours of light in a take, and a change of light led towards those of a reference take.
 *
 * Pixels that are no sky fall into a bright and a dark class of log luminance (Otsu, IEEE Transactions on Systems, Man and Cybernetics 9, 1979);
 * their medians stand for what key and fill light up. What surfaces add to them is taken to be alike in the shot and the reference, two sets of one
 * film: only the ratio of the two is used, against the ratio that the sun and sky formula (daylight.h) predicts. Differences up to 10 %
 * count as paint; seven tenths of the rest is followed, up to a natural logarithm of .35: a set of other paint must not become a light of other colour. */
#ifndef IP_REFERENCE_H
#define IP_REFERENCE_H

#include "daylight.h"
#include "image.h"

typedef struct ip_light_of {
    double key[3], fill[3]; /* scene-linear R,G,B over their luminance */
    double ratio;           /* luminance of the bright class over that of the dark one */
    double sky[3];          /* over the luminance of the bright class; 0,0,0 where hardly any sky is seen */
    double share;           /* of the pixels that were of use, 0..1 */
    char reason[120];       /* "" where there is a measurement, else why there is none */
} ip_light_of;

/* pictures: of one size, scene-linear, finite, not negative, about 320 to 640 pixels wide. clip: where samples end, 0 if they do not. */
ipos_status ip_light_of_pictures(const ip_image3 *pictures, size_t count, float clip, int threads, ip_light_of *out);

/* The colours of the new sun and the light of the sky, its level and the gain of the sky; directions, and the luminance of the sun, stay. Both
 * measured. Twice the same take: the old light's colours are not brought back, it is the new light that is led, by as much as is allowed. */
void ip_reference_lead(const ip_light_of *shot, const ip_light_of *reference, ip_relight_pair *pair);

#endif
