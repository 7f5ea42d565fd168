#include "cuts.h"
#include <stdlib.h>

#define SEARCH_X 4 /* thumbnail blocks: motion that is not a cut */
#define SEARCH_Y 3
#define TILE_X 8
#define TILE_Y 6
#define ACROSS 3        /* frames on each side that must all differ from those on the other */
#define AROUND 8        /* frames on each side that say what is usual */
#define CUT_LEAST 0.30  /* of the mean contrast; measured: the strongest motion without a cut reaches 0.61 amid 0.40 */
#define CUT_TIMES 2.0   /* measured: true cuts 2.5 and more, fast motion and explosions up to 1.6 */
#define STILL_TIMES 0.15
#define MOVING (0.4 / 255)

/* The part of the thumbnail that is picture. */
typedef struct ip_area {
    int x0, x1, y0, y1;
} ip_area;

typedef struct ip_search {
    ip_thumb_fn thumb;
    void *user;
    int64_t count;
    ip_area area;
    float *distance; /* to the frame before, motion taken out */
    float *change;   /* mean difference to the frame before, working units */
    bool *same;
} ip_search;

static double contrast(const uint16_t *t, const ip_area *area)
{
    double mean = 0, sum = 0;
    int n = (area->x1 - area->x0) * (area->y1 - area->y0);

    for (int y = area->y0; y < area->y1; y++)
        for (int x = area->x0; x < area->x1; x++)
            mean += t[y * IP_THUMB_W + x];
    mean /= n;
    for (int y = area->y0; y < area->y1; y++)
        for (int x = area->x0; x < area->x1; x++)
            sum += t[y * IP_THUMB_W + x] > mean ? t[y * IP_THUMB_W + x] - mean : mean - t[y * IP_THUMB_W + x];
    return sum / n / IP_THUMB_ONE;
}

static double mean_change(const uint16_t *a, const uint16_t *b, const ip_area *area)
{
    int64_t sum = 0;

    for (int y = area->y0; y < area->y1; y++)
        for (int x = area->x0; x < area->x1; x++)
            sum += abs(a[y * IP_THUMB_W + x] - b[y * IP_THUMB_W + x]);
    return (double)sum / ((area->x1 - area->x0) * (area->y1 - area->y0)) / IP_THUMB_ONE;
}

/* Difference of one tile of b from a moved by (dx, dy); edges repeat. */
static int64_t tile_difference(const uint16_t *a, const uint16_t *b, const ip_area *area, const ip_area *tile, int dx, int dy)
{
    int64_t sum = 0;

    for (int y = tile->y0; y < tile->y1; y++) {
        int from_y = IP_MIN(IP_MAX(y + dy, area->y0), area->y1 - 1);
        for (int x = tile->x0; x < tile->x1; x++) {
            int from_x = IP_MIN(IP_MAX(x + dx, area->x0), area->x1 - 1);
            sum += abs(a[from_y * IP_THUMB_W + from_x] - b[y * IP_THUMB_W + x]);
        }
    }
    return sum;
}

/* What of b cannot be found nearby in a, over the pictures' contrast. */
static double distance(const uint16_t *a, const uint16_t *b, const ip_area *area)
{
    int64_t sum = 0;

    for (int ty = area->y0; ty < area->y1; ty += TILE_Y) {
        for (int tx = area->x0; tx < area->x1; tx += TILE_X) {
            const ip_area tile = {tx, IP_MIN(tx + TILE_X, area->x1), ty, IP_MIN(ty + TILE_Y, area->y1)};
            int64_t best = INT64_MAX;
            for (int dy = -SEARCH_Y; dy <= SEARCH_Y; dy++)
                for (int dx = -SEARCH_X; dx <= SEARCH_X; dx++)
                    best = IP_MIN(best, tile_difference(a, b, area, &tile, dx, dy));
            sum += best;
        }
    }
    double mean = (double)sum / ((area->x1 - area->x0) * (area->y1 - area->y0)) / IP_THUMB_ONE;
    return mean / (0.02 + (contrast(a, area) + contrast(b, area)) / 2);
}

static bool line_is_bar(const uint16_t *low, const uint16_t *high, int begin, int step, int n)
{
    int least = 65535, most = 0;

    for (int i = 0; i < n; i++) {
        least = IP_MIN(least, low[begin + i * step]);
        most = IP_MAX(most, high[begin + i * step]);
    }
    return most < 0.12 * IP_THUMB_ONE && most - least < 0.012 * IP_THUMB_ONE;
}

/* Bars: lines at the edges that are the same black in a sample of frames from the whole clip. */
static ipos_status find_area(ip_search *search)
{
    uint16_t low[IP_THUMB_SIZE], high[IP_THUMB_SIZE], t[IP_THUMB_SIZE];
    int64_t step = IP_MAX(search->count / 250, 1);
    ip_area area = {0, IP_THUMB_W, 0, IP_THUMB_H};
    bool same;

    memset(low, 255, sizeof low);
    memset(high, 0, sizeof high);
    for (int64_t i = 0; i < search->count; i += step) {
        IP_TRY(search->thumb(search->user, i, t, &same));
        for (int k = 0; k < IP_THUMB_SIZE; k++) {
            low[k] = IP_MIN(low[k], t[k]);
            high[k] = IP_MAX(high[k], t[k]);
        }
    }
    while (area.y0 < area.y1 && line_is_bar(low, high, area.y0 * IP_THUMB_W, 1, IP_THUMB_W))
        area.y0++;
    while (area.y1 > area.y0 && line_is_bar(low, high, (area.y1 - 1) * IP_THUMB_W, 1, IP_THUMB_W))
        area.y1--;
    while (area.x0 < area.x1 && line_is_bar(low, high, area.x0, IP_THUMB_W, IP_THUMB_H))
        area.x0++;
    while (area.x1 > area.x0 && line_is_bar(low, high, area.x1 - 1, IP_THUMB_W, IP_THUMB_H))
        area.x1--;
    if ((area.x1 - area.x0) * (area.y1 - area.y0) * 4 < IP_THUMB_SIZE)
        area = (ip_area){0, IP_THUMB_W, 0, IP_THUMB_H};
    search->area = area;
    return IPOS_OK;
}

static ipos_status measure(ip_search *search)
{
    uint16_t t[2][IP_THUMB_SIZE];

    for (int64_t i = 0; i < search->count; i++) {
        const uint16_t *before = t[(i + 1) & 1], *now = t[i & 1];
        IP_TRY(search->thumb(search->user, i, t[i & 1], &search->same[i]));
        if (i == 0) {
            search->same[0] = false;
            continue;
        }
        search->change[i] = (float)mean_change(before, now, &search->area);
        search->distance[i] = (float)distance(before, now, &search->area);
    }
    return IPOS_OK;
}

/* Median distance around a frame, repeats left out: they would make ordinary motion look like a cut. */
static double usual(const ip_search *search, int64_t at)
{
    float values[2 * AROUND];
    int n = 0;

    for (int64_t i = IP_MAX(at - AROUND, 1); i <= at + AROUND && i < search->count; i++)
        if (i != at && search->change[i] > 0.1f * (float)MOVING)
            values[n++] = search->distance[i];
    qsort(values, (size_t)n, sizeof *values, ip_by_float);
    return n == 0 ? 0 : n & 1 ? (double)values[n / 2] : ((double)values[n / 2 - 1] + (double)values[n / 2]) / 2;
}

static ipos_status is_cut(const ip_search *search, int64_t at, bool *cut)
{
    uint16_t before[ACROSS][IP_THUMB_SIZE], after[ACROSS][IP_THUMB_SIZE];
    double least = CUT_TIMES * usual(search, at);
    int64_t lefts = IP_MIN(ACROSS, at), rights = IP_MIN(ACROSS, search->count - at);
    bool same;

    least = IP_MAX(least, CUT_LEAST);
    *cut = (double)search->distance[at] > least;
    if (!*cut)
        return IPOS_OK;
    for (int64_t i = 0; i < lefts; i++)
        IP_TRY(search->thumb(search->user, at - 1 - i, before[i], &same));
    for (int64_t i = 0; i < rights; i++)
        IP_TRY(search->thumb(search->user, at + i, after[i], &same));
    for (int64_t i = 0; i < lefts && *cut; i++)
        for (int64_t j = 0; j < rights && *cut; j++)
            *cut = distance(before[i], after[j], &search->area) > least;
    return IPOS_OK;
}

static bool is_duplicate(const ip_search *search, int64_t at)
{
    float left = 0, right = 0;

    if (search->same[at])
        return true;
    for (int64_t i = IP_MAX(at - 3, 1); i < at; i++)
        left = IP_MAX(left, search->change[i]);
    for (int64_t i = at + 1; i <= at + 3 && i < search->count; i++)
        right = IP_MAX(right, search->change[i]);
    double moving = (double)IP_MIN(left, right);
    return moving > MOVING && (double)search->change[at] < STILL_TIMES * moving;
}

static ipos_status judge(const ip_search *search, ip_shots *out)
{
    for (int64_t i = 1; i < search->count; i++) {
        bool cut = false;
        IP_TRY(is_cut(search, i, &cut));
        if (cut)
            out->cuts[out->cut_count++] = i;
        else if (is_duplicate(search, i))
            out->duplicates[out->duplicate_count++] = i;
    }
    return IPOS_OK;
}

ipos_status ip_shots_find(int64_t count, ip_thumb_fn thumb, void *user, ip_shots *out)
{
    ip_search search = {.thumb = thumb, .user = user, .count = count};
    size_t n = (size_t)IP_MAX(count, 1);
    ipos_status status = IPOS_OK;

    memset(out, 0, sizeof *out);
    search.distance = ip_calloc(n, sizeof *search.distance);
    search.change = ip_calloc(n, sizeof *search.change);
    search.same = ip_calloc(n, sizeof *search.same);
    out->cuts = ip_calloc(n, sizeof *out->cuts);
    out->duplicates = ip_calloc(n, sizeof *out->duplicates);
    if (!search.distance || !search.change || !search.same || !out->cuts || !out->duplicates)
        status = ip_no_memory(n * 32);
    if (status == IPOS_OK)
        status = find_area(&search);
    if (status == IPOS_OK)
        status = measure(&search);
    if (status == IPOS_OK)
        status = judge(&search, out);
    ip_free(search.distance);
    ip_free(search.change);
    ip_free(search.same);
    if (status != IPOS_OK)
        ip_shots_free(out);
    return status;
}

void ip_shots_free(ip_shots *shots)
{
    ip_free(shots->cuts);
    ip_free(shots->duplicates);
    memset(shots, 0, sizeof *shots);
}
