#include "mask.h"
#include "simd.h"

/* to = the larger (sign 1) or smaller (-1) of to and from, n samples. */
IP_HOT static void extreme_of(const float *from, float *to, int n, float sign) {
    if (sign > 0)
        for (int i = 0; i < n; i++)
            to[i] = from[i] > to[i] ? from[i] : to[i];
    else
        for (int i = 0; i < n; i++)
            to[i] = from[i] < to[i] ? from[i] : to[i];
}

static void extreme(const ip_plane_f *mask, const ip_plane_f *tmp, int radius, float sign) {
    int width = mask->width, height = mask->height;
    ip_plane_f made = *mask, part = *tmp;
    if (radius < 1)
        return;
    ip_plane_copy(&part, mask);
    for (int y = 0; y < height; y++)
        for (int k = 1; k <= IP_MIN(radius, width - 1); k++) {
            extreme_of(ip_row(mask, y) + k, ip_row(tmp, y), width - k, sign);
            extreme_of(ip_row(mask, y), ip_row(tmp, y) + k, width - k, sign);
        }
    ip_plane_copy(&made, tmp);
    for (int y = 0; y < height; y++)
        for (int k = IP_MAX(0, y - radius); k <= IP_MIN(height - 1, y + radius); k++)
            if (k != y)
                extreme_of(ip_row(tmp, k), ip_row(mask, y), width, sign);
}

void ip_mask_grow(const ip_plane_f *mask, const ip_plane_f *tmp, int radius) {
    extreme(mask, tmp, radius, 1);
}

void ip_mask_shrink(const ip_plane_f *mask, const ip_plane_f *tmp, int radius) {
    extreme(mask, tmp, radius, -1);
}

bool ip_mask_run(const float *row, int width, int *from, int *to) {
    *from = *to;
    while (*from < width && !(row[*from] > 0))
        ++*from;
    *to = *from;
    while (*to < width && row[*to] > 0)
        ++*to;
    return *from < width;
}

typedef struct flooding {
    const ip_plane_f *mask;
    int32_t *labels, *stack;
} flooding;

static ip_piece flood(const flooding *f, int x, int y, int32_t label) {
    int width = f->mask->width, height = f->mask->height, left = x, right = x, top = y, bottom = y;
    int64_t deep = 0;
    ip_piece piece = {0};
    f->labels[y * width + x] = label;
    f->stack[deep++] = y * width + x;
    while (deep) {
        int at = f->stack[--deep], px = at % width, py = at / width;
        piece.area++;
        left = IP_MIN(left, px);
        right = IP_MAX(right, px);
        top = IP_MIN(top, py);
        bottom = IP_MAX(bottom, py);
        for (int ny = IP_MAX(0, py - 1); ny <= IP_MIN(height - 1, py + 1); ny++)
            for (int nx = IP_MAX(0, px - 1); nx <= IP_MIN(width - 1, px + 1); nx++)
                if (!f->labels[ny * width + nx] && ip_row(f->mask, ny)[nx] > 0) {
                    f->labels[ny * width + nx] = label;
                    f->stack[deep++] = ny * width + nx;
                }
    }
    piece.box = (ip_box_i){left, top, right - left + 1, bottom - top + 1};
    return piece;
}

ipos_status ip_mask_pieces(const ip_plane_f *mask, int32_t **labels, ip_piece **pieces, size_t *count) {
    size_t samples = (size_t)mask->width * (size_t)mask->height, room = 0;
    flooding f = {mask, ip_calloc(samples, sizeof *f.labels), ip_calloc(samples, sizeof *f.stack)};
    ipos_status status = f.labels && f.stack ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    *pieces = NULL;
    *count = 0;
    for (int y = 0; y < mask->height && status == IPOS_OK; y++)
        for (int x = 0; x < mask->width && status == IPOS_OK; x++) {
            if (!(ip_row(mask, y)[x] > 0) || f.labels[y * mask->width + x])
                continue;
            if (*count == room) {
                room = room ? 2 * room : 64;
                ip_piece *grown = ip_realloc(*pieces, room * sizeof *grown);
                status = grown ? IPOS_OK : IPOS_ERR_NO_MEMORY;
                *pieces = grown ? grown : *pieces;
            }
            if (status == IPOS_OK) {
                (*pieces)[*count] = flood(&f, x, y, (int32_t)(*count + 1));
                (*count)++;
            }
        }
    ip_free(f.stack);
    if (status != IPOS_OK) {
        ip_free(f.labels);
        ip_free(*pieces);
        *pieces = NULL;
        *count = 0;
    }
    *labels = status == IPOS_OK ? f.labels : NULL;
    return status;
}
