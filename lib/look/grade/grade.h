/* One global invertible grade, and its texts for a colourist. */
#ifndef IP_LOOK_GRADE_H
#define IP_LOOK_GRADE_H

#include "color.h"
#include "image.h"

/* s = luma + saturation (x - luma) with Rec.709 luma, then for each channel z = offset + gain s^power: the inverse of what an ASC CDL
 * does (slope, offset, power, then saturation), because a match takes off what a grade put on. Below 0 the power is not taken, so that it is
 * continuous and invertible there too; above 1 nothing ends. On values in the working encoding (ip_to_working). gain, power and saturation are
 * over 0. */
typedef struct ip_grade {
    double gain[3], offset[3], power[3], saturation;
} ip_grade;

ip_grade ip_grade_none(void);
/* A share of it, 0..1: 0 is none, 1 itself. */
ip_grade ip_grade_share(const ip_grade *grade, double share);
bool ip_grade_is_none(const ip_grade *grade);
void ip_grade_at(const ip_grade *grade, const double in[3], double out[3]);
void ip_grade_undo(const ip_grade *grade, const double in[3], double out[3]);
/* In place. A grade that does nothing leaves every bit; pixels with a sample that is not finite are left alone. */
void ip_grade_apply(const ip_grade *grade, const ip_image3 *image, int threads);

/* ASC CDL 1.2: (slope x + offset)^power for each channel, then saturation about Rec.709 luma; not clamped, powers of what is below 0 not
 * taken (as OpenColorIO's noClamp). */
typedef struct ip_cdl {
    double slope[3], offset[3], power[3], saturation;
} ip_cdl;
void ip_cdl_at(const ip_cdl *cdl, const double in[3], double out[3]);

/* The texts below are the caller's to free; NULL: out of memory. encoding: whose values they are for.
 * A ColorDecisionList of one correction; id and description: any UTF-8, escaped here. */
char *ip_cdl_text(const ip_cdl *cdl, const ip_encoding *encoding, const char *id, const char *description);
/* A .cube table of 33^3 (Adobe, Cube LUT Specification 1.0) over values 0..1; what is outside ends at its faces. title: one line, quotes
 * and what does not print are left out. */
enum { IP_CUBE_SIDE = 33 };
char *ip_grade_cube(const ip_grade *grade, const ip_encoding *encoding, const char *title);

#endif
