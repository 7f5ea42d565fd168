#include "region.h"
#include <math.h>

static ipos_status check(const ip_look_source *source, const ip_region *region, const char *what) {
    IP_TRY(ip_look_check(source, what));
    const ip_box_i *b = &region->box;
    if (region->frame >= source->count)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: frame %zu of %zu does not exist", what, region->frame, source->count);
    if (b->width < 1 || b->height < 1 || b->x < 0 || b->y < 0 || b->width > source->width - b->x || b->height > source->height - b->y)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: box %d,%d %dx%d is not within the frame of %dx%d", what, b->x, b->y, b->width, b->height,
            source->width, source->height);
    if (region->matte && (region->matte->width != source->width || region->matte->height != source->height))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: matte of %dx%d for a frame of %dx%d", what, region->matte->width, region->matte->height, source->width,
            source->height);
    return IPOS_OK;
}

ipos_status ip_region_pixels(const ip_look_source *source, const ip_region *region, float low, const char *what, float **rgb, size_t *count) {
    *rgb = NULL;
    *count = 0;
    IP_TRY(check(source, region, what));
    ip_image3 image;
    IP_TRY(ip_look_fetch(source, region->frame, 0, &image));
    float *out = ip_alloc((size_t)region->box.width * (size_t)region->box.height * 3 * sizeof *out);
    if (!out) {
        ip_image3_free(&image);
        return IPOS_ERR_NO_MEMORY;
    }
    size_t n = 0;
    float most = source->clip > 0.f ? .98f * source->clip : INFINITY;
    for (int y = region->box.y; y < region->box.y + region->box.height; y++)
        for (int x = region->box.x; x < region->box.x + region->box.width; x++) {
            float r = ip_row(&image.c[0], y)[x], g = ip_row(&image.c[1], y)[x], b = ip_row(&image.c[2], y)[x];
            if ((region->matte && !(ip_row(region->matte, y)[x] > .5f)) || fmaxf(r, fmaxf(g, b)) > most || ip_luma_of(r, g, b) < low)
                continue;
            out[3 * n] = r, out[3 * n + 1] = g, out[3 * n + 2] = b;
            n++;
        }
    ip_image3_free(&image);
    *rgb = out;
    *count = n;
    return IPOS_OK;
}
