/* Where the sun stands over a place at a time.
 *
 * Meeus, "Astronomical Algorithms" (2nd edition, 1998), chapters 22, 25 and 28, in the low-precision form of NOAA's solar calculator: within
 * .02 degrees of the NREL solar position algorithm (Reda, Andreas, Solar Energy 76, 2004) from 1900 to 2100. Refraction is that of air at
 * 1010 hPa and 10 degrees Celsius (Bennett, Journal of Navigation 35, 1982; Saemundsson's inverse). */
#ifndef IP_SUN_H
#define IP_SUN_H

#include "core.h"

typedef struct ip_place {
    double latitude, longitude; /* degrees; north and east are positive */
} ip_place;

typedef struct ip_sun {
    double azimuth;   /* degrees clockwise from north, 0 <= azimuth < 360 */
    double elevation; /* degrees over the horizon as it is seen, refraction included; below -1 without it */
} ip_sun;

/* "50.08,14.42": latitude and longitude in degrees. IPOS_ERR_ARGUMENT with a text that begins with what. */
ipos_status ip_place_parse(const char *text, const char *what, ip_place *out);
/* "2024-06-21T19:30+02:00", "2024-06-21T17:30Z", seconds allowed: days since J2000.0 (2000-01-01 12:00 UTC). The offset from UTC must be said:
 * a clock alone does not tell where the sun is. IPOS_ERR_ARGUMENT with a text that begins with what. */
ipos_status ip_moment_parse(const char *text, const char *what, double *days);
/* A date of the Gregorian calendar and hours of UTC as days since J2000.0. */
double ip_moment(int year, int month, int day, double hours);

ip_sun ip_sun_at(ip_place place, double days);

#endif
