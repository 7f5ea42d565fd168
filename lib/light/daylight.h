/* The colours of sun, sky and shade by day, and from one daylight to another. Scene-linear R,G,B with Rec.709 primaries.
 *
 * Direct light: Beer's law over Rayleigh and aerosol optical depth at .61, .55 and .465 micrometres (Angstrom's exponent 1.3, turbidity .08;
 * Bird, Riordan, Journal of Climate and Applied Meteorology 25, 1986) with the relative air mass of Kasten and Young (Applied Optics 28,
 * 1989). Light of the sky is a share of the sun's, its colour between the sun's and a clear sky's. */
#ifndef IP_DAYLIGHT_H
#define IP_DAYLIGHT_H

#include "core.h"

typedef enum ip_weather { IP_CLEAR, IP_OVERCAST, IP_DUSK } ip_weather; /* dusk: the sun is down, the sky alone gives light */

/* A light as it is asked for. */
typedef struct ip_light_ask {
    double azimuth;   /* of the sun, degrees to the right of where the camera looks; +-180 is behind it */
    double elevation; /* degrees over the horizon */
    ip_weather weather;
    double ambient;   /* how much light comes from the sky, times what the weather gives; 0 counts as 1 */
    double tint;      /* of that light, -1 as warm as the sun .. 0 .. 1 as blue as a clear sky */
} ip_light_ask;

/* "golden-hour", "midday", "overcast", "blue-hour": elevation and weather, azimuth 0 to be set by who asks. */
bool ip_light_preset(const char *name, ip_light_ask *out);

/* A light as it falls. */
typedef struct ip_daylight {
    double toward[3];  /* unit vector to the sun in the view: right, up, forward */
    double sun[3];     /* on a surface that faces the sun, 0 where there is none */
    double ambient[3]; /* on every surface */
} ip_daylight;

/* From one light to another. Both suns have one luminance, so that the picture keeps its exposure; the exposure on top is the user's. */
typedef struct ip_relight_pair {
    ip_daylight old, now;
    double sky[3];     /* gain of the sky */
} ip_relight_pair;
/* IPOS_ERR_ARGUMENT where an elevation is not -18..90 or something is not finite. */
ipos_status ip_daylight_pair(const ip_light_ask *old, const ip_light_ask *now, ip_relight_pair *out);

/* The sun's own R,G,B at an elevation, 1 outside the air. Below 1 degree as at 1 degree. */
void ip_sun_colour(double elevation, double rgb[3]);
/* Right, up, forward of a direction as seen in the picture. */
void ip_sun_toward(double azimuth, double elevation, double toward[3]);
/* Two unit vectors across the light of a sun, at right angles; side is level. */
void ip_sun_across(const double toward[3], double side[3], double over[3]);

static inline double ip_luminance(const double rgb[3]) { return .2126 * rgb[0] + .7152 * rgb[1] + .0722 * rgb[2]; }

#endif
