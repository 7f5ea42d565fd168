/* Where measurements of the look take their frames, and what every reading carries. */
#ifndef IP_LOOK_SOURCE_H
#define IP_LOOK_SOURCE_H

#include "color.h"
#include "image.h"

/* Measurements that compare frames look at so many of them at most, halved until they are no wider than this, and say which (ip_..._frames): so
 * that one way through a shot serves several. */
enum { IP_LOOK_FRAMES = 48, IP_LOOK_SMALL = 480 };

/* A run of frames of one size. Every measurement fetches in ascending order and each frame at most once, so a decoder can follow. */
typedef struct ip_look_source {
    size_t count;
    int width, height;
    const ip_encoding *encoding; /* of the frames as they are stored; fetch gives linear light */
    float clip;                  /* linear value where samples end; 0: they do not (scene-linear float) */
    int threads;
    /* Fills R,G,B in linear light into planes of width x height. Samples that are not finite are read as 0. */
    ipos_status (*fetch)(void *user, size_t index, const ip_image3 *to);
    void *user;
    const ip_pulse *pulse; /* may be NULL; where it says stop: IPOS_ERR_CANCELLED */
} ip_look_source;

/* What a measurement rests on. reason is "" where there is a measurement; else it says why there is none. */
typedef struct ip_reading {
    double confidence; /* 0..1; 0 where not measurable */
    int64_t frames;    /* that contributed */
    char reason[160];
} ip_reading;
static inline bool ip_measured(const ip_reading *reading) { return reading->reason[0] == 0; }
void ip_not_measurable(ip_reading *reading, const char *format, ...) IP_PRINTF(2, 3);

/* Checks the source; IPOS_ERR_ARGUMENT with a text that begins with what. */
ipos_status ip_look_check(const ip_look_source *source, const char *what);
/* Frame index, halved until it is at most max_width wide (0: as it is). Allocates out. */
ipos_status ip_look_fetch(const ip_look_source *source, size_t index, int max_width, ip_image3 *out);
/* The frames to look at, at most `most`, evenly spread; at(i) of count. */
size_t ip_look_spread(size_t count, size_t most);
size_t ip_look_spread_at(size_t count, size_t chosen, size_t i);

/* A linear value in the working encoding (0..1 for display white), and Rec.709 luma in it, of planes of one size. */
float ip_look_code(const ip_look_source *source, float linear);
float ip_look_linear(const ip_encoding *encoding, float code); /* back */
void ip_look_code_luma(const ip_look_source *source, const ip_image3 *image, const ip_plane_f *out);
void ip_look_code_plane(const ip_look_source *source, const ip_plane_f *linear, const ip_plane_f *out);
static inline float ip_luma_of(float r, float g, float b) { return .2126f * r + .7152f * g + .0722f * b; }
/* Linear range that is neither in the noise of the blacks nor near clipping. */
static inline float ip_look_low(const ip_look_source *source) { return source->clip > 0.f ? .02f * source->clip : .004f; }
static inline float ip_look_high(const ip_look_source *source) { return source->clip > 0.f ? .9f * source->clip : 64.f; }

#endif
