/* Colour difference as people see it. */
#ifndef IP_LOOK_DIFFERENCE_H
#define IP_LOOK_DIFFERENCE_H

/* CIE 1976 L*a*b* (CIE 15:2018) of linear R,G,B, Rec.709 primaries, against their own white (1,1,1). */
void ip_lab(const double rgb[3], double lab[3]);
/* CIEDE2000 with all weights 1 (Sharma, Wu, Dalal, Color Research and Application 30, 2005). */
double ip_ciede2000(const double a[3], const double b[3]);

#endif
