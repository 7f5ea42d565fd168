/* Pictures for the EXR tests, and ways to compare them. */
#ifndef EXR_MAKE_H
#define EXR_MAKE_H

#include "format.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

enum { FILL_BITS, FILL_SMOOTH }; /* any bits at all; smooth values of 0.1 to 1 */

ipos_frame *make_frame(ipos_box data, ipos_box display, const ipos_channel *channels, size_t count, int fill);
ipos_frame *make_rgba(int32_t width, int32_t height); /* half, any bits */
void set_text(ipos_frame *frame, const char *name, const char *text);
/* Writes to memory, expects success. */
bytes write_exr(ipos_frame *const *frames, size_t count, const char *compression, int tile);
ipos_frame *read_exr(bytes file, int part); /* expects success */
/* Reads; the frame, if one came, goes at once. On failure checks that there is a text. */
ipos_status try_exr(const uint8_t *data, size_t size, int part);
void expect_same_layout(const ipos_frame *a, const ipos_frame *b);
void expect_same_bits(const ipos_frame *a, const ipos_frame *b);
double worst_difference(const ipos_frame *a, const ipos_frame *b); /* of f16 and f32 channels */
void expect_attribute(const ipos_frame *frame, const char *name, const char *type, const void *value, size_t size);
uint32_t next_random(void);

#endif
