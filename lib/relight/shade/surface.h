/* What relighting knows of every pixel of a frame: where it faces, which suns it sees, whether it is sky.
 *
 * Pictures are scene-linear R,G,B with Rec.709 primaries, finite and not negative, at the size the analysis works at: about 640 pixels wide.
 * Figures in pixels are for that width and follow the width of what is given. */
#ifndef IP_SURFACE_H
#define IP_SURFACE_H

#include "daylight.h"
#include "image.h"

enum { IP_OLD_SUN, IP_NEW_SUN };

typedef struct ip_surface {
    ip_plane_f sky;       /* share of sky, 0..1 */
    ip_plane_f ground;    /* share of ground, 0..1; the rest stands upright */
    ip_plane_f facing[2]; /* cosine of the angle to the old and the new sun, not below .02 */
    ip_plane_f seen[2];   /* how much of the old and the new sun gets there, 0..1 */
    ip_plane_f passing;   /* how much of the new sun what moves lets through, 0..1: of this frame alone, not in seen */
    ip_plane_f thing;     /* share of what stands or moves before the room, 0..1: shadows are not softened across its outline */
    ip_plane_f pane;      /* how surely it is a pane of glass in a wall, 0..1 */
    ip_plane_f glint;     /* the new sun's light that metal mirrors into the camera where it gets there, in shares of white that faces the sun, 0..1 */
} ip_surface;

ipos_status ip_surface_new(int width, int height, ip_surface *out);
void ip_surface_free(ip_surface *surface);

/* Pixels of a picture of that width that 1 pixel at 640 is. */
static inline float ip_relight_unit(int width) { return (float)width / 640; }
static inline int ip_relight_pixels(int width, float pixels) {
    int n = (int)(pixels * ip_relight_unit(width) + .5f);
    return n > 1 ? n : 1;
}
/* Luma as screens show it: sRGB of Rec.709 luminance limited to 0..1. */
void ip_display_luma(const ip_image3 *light, const ip_plane_f *out, int threads);

/* Blue, smooth, bright and joined to the upper border; clouds within it and smooth haze below it count. sky: 0..1, soft at its edges. */
ipos_status ip_sky_find(const ip_image3 *light, int threads, const ip_plane_f *sky);

/* Where surfaces face when nothing is known of the set: from the row of the horizon (0 top .. 1 bottom) down, upright things give way to
 * ground, softly. Upright means the mean of all directions that a facade in view may have. through: the share of the new sun that gets to what faces
 * it; nobody knows where, so facing tells it. Writes ground and facing. */
void ip_surface_guess(const ip_relight_pair *pair, float horizon, float through, const ip_surface *surface);
/* That share on average: the lower a sun, the more stands in between. Half at 4.6 degrees, .6 at 7, .95 at 58. */
float ip_gets_through(const double toward[3]);

/* Old shadows from the colours of the shot alone. In what pool does a pixel belong: where its colour, times what the sun adds, is a colour that
 * the shot shows more often, it lies in shadow. Two pools, ground and upright. */
typedef struct ip_shades {
    float *pool[2]; /* 40^3 bins of log2 R,G,B */
    double count[2];
    bool settled;
} ip_shades;
ipos_status ip_shades_open(ip_shades *shades);
void ip_shades_close(ip_shades *shades);
/* A frame for the pools; as many as wished, four spread over the shot are enough. still: 1 where what is seen counts. */
void ip_shades_add(ip_shades *shades, const ip_image3 *light, const ip_surface *surface, const ip_plane_f *still);
/* Writes seen[IP_OLD_SUN], from the pools, facing and ground; 1 in the sky. still: 1 where to look; 0: left at 1. */
ipos_status ip_shades_find(ip_shades *shades, const ip_image3 *light, const ip_relight_pair *pair, const ip_plane_f *still, int threads,
    const ip_surface *surface);

/* Light on a surface, of R,G,B one, and its luminance: facing as above, seen 0..1; what keeps the sun from a place hides a part of the sky from it too. */
double ip_light_falls(const ip_daylight *light, int c, double facing, double seen);
double ip_light_level(const ip_daylight *light, double facing, double seen);

/* How the change is to look. */
typedef struct ip_regrade {
    float exposure;    /* stops on top */
    float lift;        /* how far old shadows are taken away, 0..1 */
    float shadow;      /* how deep new ones are, 0..1 */
    float softness;    /* pixels (sigma) at 640 that edges of new shadows are blurred by */
} ip_regrade;
/* Stops by which the luminance of what is no sky changes on average, without new shadows: what a camera would make up for. */
double ip_regrade_mean(const ip_surface *surface, const ip_relight_pair *pair);
/* log2 of what R,G,B are to be multiplied with. lifted, cast (may be NULL): log2 of the gain that the old shadow alone and the new shadow
 * alone make, luminance, 0 where there is none (cast is negative). Old and new light alike and no exposure: exactly 0 everywhere. */
ipos_status ip_regrade_gain(const ip_surface *surface, const ip_relight_pair *pair, const ip_regrade *options, int threads, const ip_image3 *gain,
    const ip_plane_f *lifted, const ip_plane_f *cast);

#endif
