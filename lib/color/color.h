/* Encodings: transfer curves, primaries, and the working encoding flow and networks see. Pure functions. */
#ifndef IP_COLOR_H
#define IP_COLOR_H

#include "core.h"

typedef enum ip_encoding_kind { IP_ENCODING_DISPLAY, IP_ENCODING_LOG, IP_ENCODING_LINEAR, IP_ENCODING_DATA } ip_encoding_kind;

typedef struct ip_encoding {
    const char *name, *help;
    ip_encoding_kind kind;
    float (*to_linear)(float code);   /* code value (integers scaled to 0..1) -> scene- or display-linear */
    float (*from_linear)(float linear);
} ip_encoding;

size_t ip_encoding_count(void);
const ip_encoding *ip_encoding_at(size_t index);
const ip_encoding *ip_encoding_find(const char *name); /* NULL: unknown; the caller words the error with ip_encoding_names() */
const char *ip_encoding_names(void);                   /* comma-separated, static */

/* The working encoding: code values as they are for display, log and data encodings; for linear an invertible, odd, log-like curve
 * that maps 0 to 0, .18 to about .4 and 1 to about .65, never clamps, is finite for every finite value. In place, n samples.
 * from_working(to_working(x)) equals x within 1e-6 relative (4e-6 above 1e9). NaN and infinities pass through. */
void ip_to_working(const ip_encoding *encoding, float *samples, size_t n);
void ip_from_working(const ip_encoding *encoding, float *samples, size_t n);

/* half <-> single, round to nearest even, subnormals, infinities and NaN kept. */
float ip_half_to_float(uint16_t half);
uint16_t ip_float_to_half(float value);
void ip_halves_to_floats(const uint16_t *halves, float *out, size_t n);
void ip_floats_to_halves(const float *in, uint16_t *out, size_t n);

#endif
