/* Bloom and halation: the halo a lens and film base lay around highlights, as a sum of Gaussians for each channel.
 *
 *   seen = (1 - strength) light + strength (psf * light),   psf = sum of weight[k] Gauss(sigma[k]) / sum of weight
 *
 * The flare model of Talvala, Adams, Horowitz, Levoy, "Veiling Glare in High Dynamic Range Imaging" (SIGGRAPH 2007), with a non-negative
 * dictionary instead of one kernel: a kernel of the wrong family misreads the strength by half. The halo of channel c is made of the light
 * of channel c, so that red halation is a larger strength in red. */
#ifndef IP_BLOOM_H
#define IP_BLOOM_H

#include "record.h"

enum { IP_BLOOM_KERNELS = 9 };

typedef struct ip_bloom_channel {
    ip_reading reading;
    double weight[IP_BLOOM_KERNELS]; /* >= 0, their sum is the halo's light over the light that stayed: strength / (1 - strength) */
    double radius;                   /* holds half of the halo's light, pixels */
    double strength;                 /* 0..1; 0 where not known */
    double explained;                /* share of the gradients around lamps that the fit explains, 0..1 */
} ip_bloom_channel;

typedef struct ip_bloom {
    bool strength_known;            /* false: the lamps are clipped, only the shape and radius were measured */
    int64_t width;                  /* of the frames, pixels: what radii and sigmas refer to */
    double sigma[IP_BLOOM_KERNELS]; /* pixels */
    ip_bloom_channel luma, channel[3]; /* Rec.709 luma; R, G, B */
} ip_bloom;

/* From gradients around compact lamps against dark surrounds, on at most eight frames at up to 960 pixels wide. Not measurable (in the
 * readings): no such lamps; gradients of which the halo explains less than .02; parts of the pictures (jackknife) that
 * disagree by a standard error over 12 %; a radius under 2.5 pixels at that width, which is the softness of any edge. */
ipos_status ip_bloom_measure(const ip_look_source *source, ip_bloom *out);

/* In linear light, in place; the image may have another width than the measurement's: radii follow. Samples outside the picture are
 * taken to repeat its edge. Channels without a measurement, or all where strength is not known, stay as they are, bit for bit.
 * remove inverts add by fixed-point iteration (x <- (seen - s psf*x) / (1 - s), contracting for s < .5), to 1e-5 of the brightest sample
 * or 40 steps; more than .45 is IPOS_ERR_ARGUMENT. */
ipos_status ip_bloom_add(const ip_bloom *bloom, const ip_image3 *image, int threads);
ipos_status ip_bloom_remove(const ip_bloom *bloom, const ip_image3 *image, int threads);

/* Share of the halo's light within `radius` pixels. */
double ip_bloom_within(const ip_bloom *bloom, const ip_bloom_channel *channel, double radius);
/* Light of the halo at `radius` pixels of a lamp of unit light, per pixel. */
double ip_bloom_at(const ip_bloom *bloom, const ip_bloom_channel *channel, double radius);

json_t *ip_bloom_json(const ip_bloom *bloom);
ipos_status ip_bloom_parse(const json_t *value, ip_bloom *out);

#endif
