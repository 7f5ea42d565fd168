/* Curves in a map of likely wires: followed from their strongest places. */
#include "wires_op.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_POINTS = 4000 };
static const float seed_at = .5f, go_on = .3f, stride = 2;

static float look(const ip_plane_f *map, const ip_plane_f *taken, float x, float y) {
    if (!(x >= 0 && y >= 0 && x < (float)map->width && y < (float)map->height))
        return 0;
    if (ip_row(taken, (int)y)[(int)x] > 0)
        return 0;
    return ip_sample_linear(map, x - .5f, y - .5f);
}

/* Mean of what lies ahead in a direction. */
static float ahead(const ip_plane_f *map, const ip_plane_f *taken, ip_point at, float angle) {
    float sum = 0;
    for (int i = 1; i <= 4; i++)
        sum += look(map, taken, at.x + 1.5f * (float)i * cosf(angle), at.y + 1.5f * (float)i * sinf(angle));
    return sum / 4;
}

static size_t follow(const ip_plane_f *map, const ip_plane_f *taken, ip_point at, float angle, ip_point *out) {
    size_t count = 0;
    while (count < MOST_POINTS / 2) {
        float best = -1, turn = 0;
        for (int k = -5; k <= 5; k++) {
            float value = ahead(map, taken, at, angle + .14f * (float)k) - .004f * (float)(k * k);
            if (value > best) {
                best = value;
                turn = .14f * (float)k;
            }
        }
        if (best < go_on)
            break;
        angle += turn;
        at = (ip_point){at.x + stride * cosf(angle), at.y + stride * sinf(angle)};
        out[count++] = at;
    }
    return count;
}

/* Both ways from a seed; points has room for MOST_POINTS. */
static size_t both_ways(const ip_plane_f *map, const ip_plane_f *taken, ip_point seed, ip_point *points) {
    float best = -1, angle = 0;
    for (int k = 0; k < 24; k++) {
        float way = .1309f * (float)k, value = ahead(map, taken, seed, way) + ahead(map, taken, seed, way + 3.14159f);
        if (value > best) {
            best = value;
            angle = way;
        }
    }
    size_t back = follow(map, taken, seed, angle + 3.14159f, points);
    for (size_t i = 0; i < back / 2; i++) {
        ip_point swap = points[i];
        points[i] = points[back - 1 - i];
        points[back - 1 - i] = swap;
    }
    points[back] = seed;
    return back + 1 + follow(map, taken, seed, angle, points + back + 1);
}

typedef struct seed_place {
    float value;
    int x, y;
} seed_place;

static int strongest_first(const void *a, const void *b) {
    float x = ((const seed_place *)a)->value, y = ((const seed_place *)b)->value;
    return (x < y) - (x > y);
}

static ipos_status list_seeds(const ip_plane_f *map, seed_place **out, size_t *count) {
    size_t room = 0;
    *count = 0;
    *out = NULL;
    for (int y = 0; y < map->height; y++)
        for (int x = 0; x < map->width; x++) {
            if (!(ip_row(map, y)[x] >= seed_at))
                continue;
            if (*count == room) {
                room = room ? 2 * room : 4096;
                seed_place *grown = ip_realloc(*out, room * sizeof *grown);
                if (!grown)
                    return IPOS_ERR_NO_MEMORY;
                *out = grown;
            }
            (*out)[(*count)++] = (seed_place){ip_row(map, y)[x], x, y};
        }
    if (*count)
        qsort(*out, *count, sizeof **out, strongest_first);
    return IPOS_OK;
}

static float mean_along(const ip_plane_f *map, const ip_curve *curve) {
    float sum = 0;
    for (size_t i = 0; i < curve->count; i++)
        sum += ip_sample_linear(map, curve->at[i].x - .5f, curve->at[i].y - .5f);
    return sum / (float)IP_MAX(curve->count, 1);
}

ipos_status iw_propose(const ip_wire_map *map, float scale, size_t most, ip_curve **curves, float **sure, size_t *count) {
    ip_plane_f taken;
    seed_place *seeds = NULL;
    size_t seed_count = 0;
    ip_point *points = ip_alloc(MOST_POINTS * 2 * sizeof *points);
    *count = 0;
    *curves = ip_calloc(IP_MAX(most, 1), sizeof **curves);
    *sure = ip_calloc(IP_MAX(most, 1), sizeof **sure);
    ipos_status status = ip_plane_new(map->plane.width, map->plane.height, &taken);
    if (status == IPOS_OK)
        status = points && *curves && *sure ? list_seeds(&map->plane, &seeds, &seed_count) : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < seed_count && *count < most && status == IPOS_OK; i++) {
        if (ip_row(&taken, seeds[i].y)[seeds[i].x] > 0)
            continue;
        ip_curve raw = {points, both_ways(&map->plane, &taken, (ip_point){(float)seeds[i].x + .5f, (float)seeds[i].y + .5f}, points)}, even;
        ip_curve_band(&raw, NULL, 4 * scale, 0, 0, 0, &taken);
        if (ip_curve_length(&raw) < 24 * scale)
            continue;
        status = ip_curve_even(&raw, IW_STEP, &even);
        if (status != IPOS_OK)
            break;
        (*sure)[*count] = mean_along(&map->plane, &even);
        for (size_t k = 0; k < even.count; k++)
            even.at[k] = (ip_point){even.at[k].x + (float)map->x, even.at[k].y + (float)map->y};
        (*curves)[(*count)++] = even;
    }
    ip_plane_free(&taken);
    ip_free(seeds);
    ip_free(points);
    return status;
}
