/* The sky: a mask from colour, smoothness and place. */
#include "curves.h"
#include "gauss.h"
#include "guided.h"
#include "mask.h"
#include "surface.h"

#include <math.h>

enum { LUMA, ROUGH, MASK, TMP, PLANES };

static void find_rough(const ip_plane_f *luma, const ip_plane_f *rough) {
    for (int y = 0; y < luma->height; y++) {
        const float *at = ip_row(luma, y), *up = ip_row(luma, IP_MAX(0, y - 1)), *down = ip_row(luma, IP_MIN(luma->height - 1, y + 1));
        for (int x = 0; x < luma->width; x++)
            ip_row(rough, y)[x] = fabsf(up[x] + down[x] + at[IP_MAX(0, x - 1)] + at[IP_MIN(luma->width - 1, x + 1)] - 4 * at[x]);
    }
}

/* Pieces that do not reach the upper border, or are small, go. */
static ipos_status keep_upper(const ip_plane_f *mask, int least, int reach) {
    int32_t *labels;
    ip_piece *pieces;
    size_t count;
    IP_TRY(ip_mask_pieces(mask, &labels, &pieces, &count));
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++) {
            int32_t label = labels[y * mask->width + x];
            ip_row(mask, y)[x] = label && pieces[label - 1].area > least && pieces[label - 1].box.y < reach;
        }
    ip_free(labels);
    ip_free(pieces);
    return IPOS_OK;
}

/* Blue and smooth; with `pale`, hardly blue and bright counts too: haze, thin clouds. */
static bool sky_like(const ip_image3 *light, const ip_plane_f *part, int x, int y, bool pale) {
    float r = ip_row(&light->c[0], y)[x], b = ip_row(&light->c[2], y)[x], luma = ip_row(&part[LUMA], y)[x], rough = ip_row(&part[ROUGH], y)[x];
    if (b > 1.25f * r && luma > .1f && rough < .02f)
        return true;
    return pale && b > 1.04f * r && luma > .45f && rough < .012f; /* grey is left out: it may be a wall */
}

static ipos_status find(const ip_image3 *light, int threads, ip_plane_f *part, const ip_plane_f *sky) {
    int width = sky->width, least = (int)(1500 * ip_relight_unit(width) * ip_relight_unit(width));
    int reach = ip_relight_pixels(width, 3);
    ip_display_luma(light, &part[LUMA], threads);
    find_rough(&part[LUMA], &part[ROUGH]);
    ip_gauss_blur(&part[ROUGH], &part[ROUGH], &part[TMP], 2 * ip_relight_unit(width), threads);
    for (int pale = 0; pale < 2; pale++) {
        bool blue = false;
        for (int y = 0; y < sky->height; y++)
            for (int x = 0; x < width; x++) {
                blue = blue || ip_row(&part[MASK], y)[x] > 0;
                /* what is pale must hang together with what is blue: a white wall is no sky */
                ip_row(sky, y)[x] = sky_like(light, part, x, y, pale);
            }
        if (pale && !blue)
            break;
        ip_mask_close(sky, &part[TMP], ip_relight_pixels(width, 2));
        IP_TRY(keep_upper(sky, least, reach));
        if (!pale)
            ip_plane_copy(&part[MASK], sky);
    }
    return IPOS_OK;
}

/* Of the pale mask only pieces that are blue over at least a tenth stay; else the blue mask alone. */
static ipos_status join(ip_plane_f *part, const ip_plane_f *sky) {
    int32_t *labels;
    ip_piece *pieces;
    size_t count;
    IP_TRY(ip_mask_pieces(sky, &labels, &pieces, &count));
    int *blue = ip_calloc(count + 1, sizeof *blue);
    if (blue) {
        for (int y = 0; y < sky->height; y++)
            for (int x = 0; x < sky->width; x++)
                blue[labels[y * sky->width + x]] += ip_row(&part[MASK], y)[x] > 0;
        for (int y = 0; y < sky->height; y++)
            for (int x = 0; x < sky->width; x++) {
                int32_t label = labels[y * sky->width + x];
                bool whole = label && 10 * blue[label] > pieces[label - 1].area;
                ip_row(sky, y)[x] = whole || ip_row(&part[MASK], y)[x] > 0;
            }
    }
    ip_free(labels);
    ip_free(pieces);
    ip_free(blue);
    return blue ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

/* Around buildings the mask ends early, at what their edges make rough: pixels near it that have the colour of the sky around them join. */
static ipos_status grow_alike(const ip_image3 *light, int threads, const ip_plane_f *sky) {
    int width = sky->width, radius = ip_relight_pixels(width, 7);
    ip_plane_f part[6]; /* sky colour, share, room, the mask as it was */
    IP_TRY(ip_planes_new(width, sky->height, part, 6));
    ip_plane_copy(&part[5], sky);
    ip_box_blur(sky, &part[3], &part[4], radius, radius, threads);
    for (int c = 0; c < 3; c++) {
        for (int y = 0; y < sky->height; y++)
            for (int x = 0; x < width; x++)
                ip_row(&part[c], y)[x] = ip_row(sky, y)[x] > 0 ? ip_row(&light->c[c], y)[x] : 0;
        ip_box_blur(&part[c], &part[c], &part[4], radius, radius, threads);
    }
    for (int y = 0; y < sky->height; y++)
        for (int x = 0; x < width; x++) {
            float share = ip_row(&part[3], y)[x];
            bool alike = share > .02f;
            for (int c = 0; c < 3 && alike; c++)
                alike = fabsf(log2f((ip_row(&light->c[c], y)[x] + .01f) / (ip_row(&part[c], y)[x] / share + .01f))) < .3f;
            ip_row(sky, y)[x] = ip_row(&part[5], y)[x] > 0 || alike;
        }
    ip_planes_free(part, 6);
    return IPOS_OK;
}

/* The hue of the sky, and hardly a stop darker or half a stop brighter: towards the border of a picture, or the sun, it changes by as much. */
static bool of_that_sky(const ip_image3 *light, const double mean[3], int x, int y) {
    float stops[3];
    for (int c = 0; c < 3; c++)
        stops[c] = log2f((ip_row(&light->c[c], y)[x] + .01f) / (float)(mean[c] + .01));
    return stops[1] > -.9f && stops[1] < .5f && fabsf(stops[0] - stops[1]) < .35f && fabsf(stops[2] - stops[1]) < .35f;
}

/* Pieces cut off from the sky by what stands before it: blue, smooth, and like the sky in the same rows. */
static ipos_status find_cut_off(const ip_image3 *light, const ip_plane_f *part, const ip_plane_f *sky) {
    ip_plane_f more;
    IP_TRY(ip_plane_new(sky->width, sky->height, &more));
    for (int y = 0; y < sky->height; y++) {
        double sum[3] = {0}, count = 0;
        for (int row = IP_MAX(0, y - 4); row <= IP_MIN(sky->height - 1, y + 4); row++)
            for (int x = 0; x < sky->width; x++)
                if (ip_row(sky, row)[x] > 0) {
                    for (int c = 0; c < 3; c++)
                        sum[c] += ip_row(&light->c[c], row)[x];
                    count++;
                }
        for (int x = 0; x < sky->width && count > 20; x++) {
            double mean[3] = {sum[0] / count, sum[1] / count, sum[2] / count};
            ip_row(&more, y)[x] = sky_like(light, part, x, y, false) && of_that_sky(light, mean, x, y);
        }
    }
    ip_plane_max(sky, &more);
    ip_plane_free(&more);
    return IPOS_OK;
}

ipos_status ip_sky_find(const ip_image3 *light, int threads, const ip_plane_f *sky) {
    ip_plane_f part[PLANES];
    IP_TRY(ip_planes_new(sky->width, sky->height, part, PLANES));
    ipos_status status = find(light, threads, part, sky);
    if (status == IPOS_OK)
        status = join(part, sky);
    if (status == IPOS_OK)
        status = find_cut_off(light, part, sky);
    for (int i = 0; i < 5 && status == IPOS_OK; i++)
        status = grow_alike(light, threads, sky);
    if (status == IPOS_OK) {
        ip_mask_grow(sky, &part[TMP], ip_relight_pixels(sky->width, 1));
        status = ip_guided(&part[LUMA], sky, sky, ip_relight_pixels(sky->width, 4), 1e-3f, threads);
    }
    for (int y = 0; y < sky->height && status == IPOS_OK; y++)
        for (int x = 0; x < sky->width; x++)
            ip_row(sky, y)[x] = fminf(fmaxf((ip_row(sky, y)[x] - .03f) / .94f, 0), 1);
    ip_planes_free(part, PLANES);
    return status;
}
