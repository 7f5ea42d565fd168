#include "sun.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

static double radians(double degrees) {
    return degrees * PI / 180;
}

static double degrees(double angle) {
    return angle * 180 / PI;
}

/* Into 0 <= x < 360. */
static double turn(double angle) {
    double inside = fmod(angle, 360);
    return inside < 0 ? inside + 360 : inside;
}

ipos_status ip_place_parse(const char *text, const char *what, ip_place *out) {
    char first[64];
    const char *comma = strchr(text, ',');
    size_t length = comma ? (size_t)(comma - text) : sizeof first;
    if (length < sizeof first) {
        memcpy(first, text, length);
        first[length] = 0;
    }
    if (length >= sizeof first || !ip_parse_real(first, &out->latitude) || !ip_parse_real(comma + 1, &out->longitude))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: \"%s\" is no place: expected latitude,longitude in degrees, north and east positive, e.g. 50.08,14.42",
            what, text);
    if (fabs(out->latitude) > 90 || fabs(out->longitude) > 180)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: \"%s\" lies off the globe: latitude is within -90..90, longitude within -180..180", what, text);
    return IPOS_OK;
}

double ip_moment(int year, int month, int day, double hours) {
    int y = month > 2 ? year : year - 1, m = month > 2 ? month : month + 12, century = y / 100;
    double julian = floor(365.25 * (y + 4716)) + floor(30.6001 * (m + 1)) + day + 2 - century + century / 4 - 1524.5;
    return julian + hours / 24 - 2451545.0;
}

static bool two_digits(const char *at, int least, int most, int *out) {
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *out = (at[0] - '0') * 10 + at[1] - '0';
    return *out >= least && *out <= most;
}

static int days_of(int year, int month) {
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool parse_moment(const char *text, double *days) {
    int high, low, month, day, hour, minute, second = 0, away_hour = 0, away_minute = 0;
    if (strlen(text) < 17 || !two_digits(text, 0, 99, &high) || !two_digits(text + 2, 0, 99, &low) || text[4] != '-' ||
        !two_digits(text + 5, 1, 12, &month) || text[7] != '-' || !two_digits(text + 8, 1, 31, &day) || (text[10] != 'T' && text[10] != ' ') ||
        !two_digits(text + 11, 0, 23, &hour) || text[13] != ':' || !two_digits(text + 14, 0, 59, &minute))
        return false;
    int year = high * 100 + low;
    const char *at = text + 16;
    if (day > days_of(year, month))
        return false;
    if (*at == ':') {
        if (!two_digits(at + 1, 0, 60, &second))
            return false;
        at += 3;
    }
    double away = 0;
    if (*at == '+' || *at == '-') {
        if (!two_digits(at + 1, 0, 14, &away_hour) || at[3] != ':' || !two_digits(at + 4, 0, 59, &away_minute) || at[6])
            return false;
        away = (*at == '-' ? -1 : 1) * (away_hour + away_minute / 60.);
    } else if (strcmp(at, "Z") != 0) {
        return false;
    }
    *days = ip_moment(year, month, day, hour + minute / 60. + second / 3600. - away);
    return true;
}

ipos_status ip_moment_parse(const char *text, const char *what, double *days) {
    if (parse_moment(text, days))
        return IPOS_OK;
    return ip_fail(IPOS_ERR_ARGUMENT, "%s: \"%s\" is no moment: expected date, time and offset from UTC, e.g. 2024-06-21T19:30+02:00 or "
        "2024-06-21T17:30Z", what, text);
}

/* Degrees that air lifts the sun by, of a true elevation. */
static double refraction(double elevation) {
    if (elevation < -1)
        return 0;
    return 1.02 / tan(radians(elevation + 10.3 / (elevation + 5.11))) / 60;
}

ip_sun ip_sun_at(ip_place place, double days) {
    double t = days / 36525;
    double mean = turn(280.46646 + t * (36000.76983 + t * .0003032)), anomaly = radians(357.52911 + t * (35999.05029 - t * .0001537));
    double centre = (1.914602 - t * (.004817 + t * .000014)) * sin(anomaly) + (.019993 - t * .000101) * sin(2 * anomaly) + .000289 * sin(3 * anomaly);
    double node = radians(125.04 - 1934.136 * t), length = radians(mean + centre - .00569 - .00478 * sin(node));
    double tilt = radians(23.4392911 - t * (.0130042 + t * (1.64e-7 - t * 5.04e-7)) + .00256 * cos(node));
    double declination = asin(sin(tilt) * sin(length)), ascension = atan2(cos(tilt) * sin(length), cos(length));
    double sidereal = turn(280.46061837 + 360.98564736629 * days + .000387933 * t * t);
    double hour = radians(sidereal + place.longitude) - ascension, latitude = radians(place.latitude);
    double height = asin(sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour));
    double azimuth = atan2(sin(hour), cos(hour) * sin(latitude) - tan(declination) * cos(latitude));
    ip_sun sun = {.azimuth = turn(degrees(azimuth) + 180), .elevation = degrees(height)};
    sun.elevation += refraction(sun.elevation);
    return sun;
}
