#include "wire_track.h"

#include <math.h>
#include <stdlib.h>

static const float unseen = .03f;

void ip_trace_free(ip_trace *trace) {
    ip_curve_free(&trace->curve);
    ip_free(trace->seen);
    *trace = (ip_trace){0};
}

/* Bilinear, at a position of the picture; 0 outside the map. */
static float look(const ip_wire_map *map, float x, float y) {
    x -= (float)map->x + .5f;
    y -= (float)map->y + .5f;
    if (!(x > -1 && y > -1 && x < (float)map->plane.width && y < (float)map->plane.height))
        return 0;
    return ip_sample_linear(&map->plane, x, y);
}

/* The ends made longer along their own direction, as the first step of a search that may shorten them again. */
static ipos_status lengthen(const ip_curve *curve, float step, float grow, ip_curve *out) {
    size_t more = (size_t)(grow / step);
    *out = (ip_curve){.at = ip_calloc(curve->count + 2 * more, sizeof *out->at), .count = curve->count + 2 * more};
    if (!out->at)
        return IPOS_ERR_NO_MEMORY;
    memcpy(out->at + more, curve->at, curve->count * sizeof *curve->at);
    for (int end = 0; end < 2; end++) {
        ip_point tangent, normal, from = curve->at[end ? curve->count - 1 : 0];
        ip_curve_frame(curve, end ? curve->count - 1 : 0, 6, &tangent, &normal);
        float sign = end ? step : -step;
        for (size_t i = 1; i <= more; i++)
            out->at[end ? more + curve->count - 1 + i : more - i] =
                (ip_point){from.x + sign * (float)i * tangent.x, from.y + sign * (float)i * tangent.y};
    }
    return IPOS_OK;
}

typedef struct lattice {
    size_t stations;
    int side, count, jump; /* offsets -side..side; largest change from station to station */
    float unit;            /* pixels an offset */
    ip_point *normal;
    float *cost;           /* best cost up to (station, offset) */
    int16_t *from;
} lattice;

static void lattice_free(lattice *l) {
    ip_free(l->normal);
    ip_free(l->cost);
    ip_free(l->from);
}

static ipos_status lattice_new(const ip_curve *curve, float step, float reach, lattice *l) {
    *l = (lattice){.stations = curve->count, .unit = reach > 12 ? 1 : .5f};
    l->side = (int)ceilf(reach / l->unit);
    l->count = 2 * l->side + 1;
    l->jump = IP_MAX(1, (int)(1.4f * step / l->unit));
    l->normal = ip_calloc(l->stations, sizeof *l->normal);
    l->cost = ip_calloc(l->stations * (size_t)l->count, sizeof *l->cost);
    l->from = ip_calloc(l->stations * (size_t)l->count, sizeof *l->from);
    if (!l->normal || !l->cost || !l->from) {
        lattice_free(l);
        return IPOS_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < l->stations; i++) {
        ip_point tangent;
        ip_curve_frame(curve, i, 4, &tangent, &l->normal[i]);
    }
    return IPOS_OK;
}

/* Slopes cost by the square of the change of offset for each pixel gone along. */
static void forward(lattice *l, const ip_wire_map *map, const ip_curve *curve, float step, float stay) {
    float slope = .6f * l->unit * l->unit / step;
    for (size_t i = 0; i < l->stations; i++) {
        float *cost = l->cost + i * (size_t)l->count;
        const float *before = cost - l->count;
        for (int k = 0; k < l->count; k++) {
            float offset = (float)(k - l->side) * l->unit, part = (float)(k - l->side) / (float)l->side;
            float seen = look(map, curve->at[i].x + offset * l->normal[i].x, curve->at[i].y + offset * l->normal[i].y);
            float own = -logf(fmaxf(seen, 0) + unseen) + stay * part * part;
            if (i == 0) {
                cost[k] = own;
                continue;
            }
            float best = INFINITY;
            int low = IP_MAX(0, k - l->jump), high = IP_MIN(l->count - 1, k + l->jump), choice = k;
            for (int j = low; j <= high; j++) {
                float change = (float)(j - k), total = before[j] + slope * change * change;
                if (total < best) {
                    best = total;
                    choice = j;
                }
            }
            cost[k] = best + own;
            l->from[i * (size_t)l->count + (size_t)k] = (int16_t)choice;
        }
    }
}

static void backward(const lattice *l, ip_curve *curve) {
    const float *last = l->cost + (l->stations - 1) * (size_t)l->count;
    int k = 0;
    for (int j = 1; j < l->count; j++)
        if (last[j] < last[k])
            k = j;
    for (size_t i = l->stations; i-- > 0;) {
        float offset = (float)(k - l->side) * l->unit;
        curve->at[i].x += offset * l->normal[i].x;
        curve->at[i].y += offset * l->normal[i].y;
        if (i)
            k = l->from[i * (size_t)l->count + (size_t)k];
    }
}

/* Means of three, twice: takes the steps of the offsets out. Ends stay. */
static void smooth(ip_curve *curve) {
    for (int again = 0; again < 2; again++) {
        ip_point before = curve->at[0];
        for (size_t i = 1; i + 1 < curve->count; i++) {
            ip_point here = curve->at[i], next = curve->at[i + 1];
            curve->at[i] = (ip_point){.25f * before.x + .5f * here.x + .25f * next.x, .25f * before.y + .5f * here.y + .25f * next.y};
            before = here;
        }
    }
}

/* What the map shows at every offset of every second point: rows of `count`, in units of log(map + .03). */
static void sweep_table(const ip_wire_map *map, const ip_curve *curve, float unit, int side, float *table) {
    for (size_t i = 0; i < curve->count; i += 2) {
        ip_point tangent, normal;
        ip_curve_frame(curve, i, 4, &tangent, &normal);
        for (int k = -side; k <= side; k++) {
            float offset = (float)k * unit;
            *table++ = logf(unseen + look(map, curve->at[i].x + offset * normal.x, curve->at[i].y + offset * normal.y));
        }
    }
}

/* Moves the ends across the curve by what fits best: a wire swings about a point faster than a search around its old place reaches. */
static ipos_status sweep_ends(const ip_wire_map *map, ip_curve *curve, float sweep) {
    const float unit = fmaxf(1.5f, sweep / 40);
    int side = (int)ceilf(sweep / unit), count = 2 * side + 1, best[2] = {0, 0};
    size_t rows = (curve->count + 1) / 2;
    float *table = ip_calloc(rows * (size_t)count, sizeof *table), most = -INFINITY;
    if (!table)
        return IPOS_ERR_NO_MEMORY;
    sweep_table(map, curve, unit, side, table);
    for (int a = -side; a <= side; a++)
        for (int b = -side; b <= side; b++) {
            float sum = 0, apart = (float)(b - a);
            for (size_t i = 0; i < rows; i++) {
                int k = side + a + (int)lrintf(apart * (float)i / (float)IP_MAX(rows - 1, 1));
                sum += table[i * (size_t)count + (size_t)k];
            }
            sum = sum / (float)rows - .9f * (float)(abs(a) + abs(b)) / (float)IP_MAX(side, 1);
            if (sum > most) {
                most = sum;
                best[0] = a;
                best[1] = b;
            }
        }
    ip_free(table);
    ip_curve from;
    IP_TRY(ip_curve_copy(curve, &from));
    for (size_t i = 0; i < curve->count; i++) {
        ip_point tangent, normal;
        ip_curve_frame(&from, i, 4, &tangent, &normal);
        float part = (float)i / (float)IP_MAX(curve->count - 1, 1), offset = unit * ((float)best[0] + part * (float)(best[1] - best[0]));
        curve->at[i] = (ip_point){from.at[i].x + offset * normal.x, from.at[i].y + offset * normal.y};
    }
    ip_curve_free(&from);
    return IPOS_OK;
}

static ipos_status one_round(const ip_wire_map *map, ip_curve *curve, float step, float reach, float stay) {
    ip_curve even;
    lattice l;
    IP_TRY(ip_curve_even(curve, step, &even));
    ipos_status status = lattice_new(&even, step, reach, &l);
    if (status != IPOS_OK) {
        ip_curve_free(&even);
        return status;
    }
    forward(&l, map, &even, step, stay);
    backward(&l, &even);
    lattice_free(&l);
    smooth(&even);
    ip_curve_free(curve);
    *curve = even;
    return IPOS_OK;
}

ipos_status ip_trace_find(const ip_wire_map *map, const ip_curve *predicted, const ip_trace_options *options, ip_trace *out) {
    *out = (ip_trace){0};
    ip_curve even, curve;
    IP_TRY(ip_curve_even(predicted, options->step, &even));
    ipos_status status = options->sweep > 0 ? sweep_ends(map, &even, options->sweep) : IPOS_OK;
    if (status == IPOS_OK)
        status = lengthen(&even, options->step, options->grow, &curve);
    ip_curve_free(&even);
    IP_TRY(status);
    for (int i = 0; i < 3 && status == IPOS_OK; i++) {
        float reach = i == 0 ? options->reach : i == 1 ? fmaxf(.35f * options->reach, 3) : 3;
        status = one_round(map, &curve, options->step, reach, i == 0 ? options->stay : .1f);
    }
    if (status == IPOS_OK)
        status = ip_trace_read(map, &curve, out);
    ip_curve_free(&curve);
    return status;
}

ipos_status ip_trace_read(const ip_wire_map *map, const ip_curve *curve, ip_trace *out) {
    *out = (ip_trace){0};
    IP_TRY(ip_curve_copy(curve, &out->curve));
    size_t count = curve->count;
    float *raw = ip_calloc(count, sizeof *raw);
    out->seen = ip_calloc(count, sizeof *out->seen);
    if (!raw || !out->seen) {
        ip_free(raw);
        ip_trace_free(out);
        return IPOS_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        ip_point tangent, normal;
        ip_curve_frame(curve, i, 2, &tangent, &normal);
        for (int k = -3; k <= 3; k++)
            raw[i] = fmaxf(raw[i], look(map, curve->at[i].x + .5f * (float)k * normal.x, curve->at[i].y + .5f * (float)k * normal.y));
    }
    for (size_t i = 0; i < count; i++) {
        size_t begin = i > 2 ? i - 2 : 0, end = IP_MIN(i + 3, count);
        for (size_t k = begin; k < end; k++)
            out->seen[i] += raw[k];
        out->seen[i] /= (float)(end - begin);
    }
    ip_free(raw);
    return IPOS_OK;
}

static bool outside(ip_point at, float width, float height) {
    return !(at.x >= 0 && at.y >= 0 && at.x <= width && at.y <= height);
}

/* How many points to cut when going from `from` in steps of `way`. */
static size_t to_cut(const ip_trace *trace, size_t from, int way, float enough, size_t most, float width, float height) {
    enum { RUN = 5 };
    size_t count = trace->curve.count, gone = 0, run = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = way > 0 ? from + i : from - i;
        if (outside(trace->curve.at[at], width, height)) {
            gone = i + 1;
            run = 0;
            continue;
        }
        run = trace->seen[at] >= enough ? run + 1 : 0;
        if (run == RUN || i - gone >= most)
            return IP_MIN(i + 1 - IP_MIN(run, i + 1), gone + most);
    }
    return gone;
}

void ip_trace_trim(ip_trace *trace, float enough, size_t most, float width, float height) {
    size_t count = trace->curve.count;
    if (!count)
        return;
    size_t first = to_cut(trace, 0, 1, enough, most, width, height), last = to_cut(trace, count - 1, -1, enough, most, width, height);
    trace->curve.count = first + last < count ? count - first - last : 0;
    if (trace->curve.count && first) {
        memmove(trace->curve.at, trace->curve.at + first, trace->curve.count * sizeof *trace->curve.at);
        memmove(trace->seen, trace->seen + first, trace->curve.count * sizeof *trace->seen);
    }
}

float ip_trace_share(const ip_trace *trace, float enough) {
    size_t seen = 0;
    for (size_t i = 0; i < trace->curve.count; i++)
        seen += trace->seen[i] >= enough;
    return trace->curve.count ? (float)seen / (float)trace->curve.count : 0;
}

static void band_segment(ip_point a, ip_point b, float half, float soft, ip_plane_f *plane) {
    float wide = half + soft + 1, dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy, per = length > 0 ? 1 / length : 0;
    float slope = soft > 0 ? 1 / soft : 1e9f;
    int left = IP_MAX(0, (int)floorf(IP_MIN(a.x, b.x) - wide)), right = IP_MIN(plane->width - 1, (int)ceilf(IP_MAX(a.x, b.x) + wide));
    int top = IP_MAX(0, (int)floorf(IP_MIN(a.y, b.y) - wide)), bottom = IP_MIN(plane->height - 1, (int)ceilf(IP_MAX(a.y, b.y) + wide));
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            float px = (float)x + .5f - a.x, py = (float)y + .5f - a.y, t = (px * dx + py * dy) * per;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            px -= t * dx;
            py -= t * dy;
            float value = 1 - (sqrtf(px * px + py * py) - half) * slope, *to = &ip_row(plane, y)[x];
            value = value > 1 ? 1 : value;
            if (value > *to)
                *to = value;
        }
}

void ip_curve_band(const ip_curve *curve, const uint8_t *use, float half, float soft, int x, int y, ip_plane_f *plane) {
    for (size_t i = 0; i < curve->count; i++) {
        if (use && !use[i])
            continue;
        size_t next = i + 1 < curve->count && (!use || use[i + 1]) ? i + 1 : i;
        ip_point a = {curve->at[i].x - (float)x, curve->at[i].y - (float)y};
        ip_point b = {curve->at[next].x - (float)x, curve->at[next].y - (float)y};
        band_segment(a, b, half, soft, plane);
    }
}

/* Full width at half height of one profile above the line through its ends; 0 where nothing stands out. */
static float profile_width(const ip_plane_f *luma, ip_point at, ip_point normal, float most) {
    enum { HALF = 40 };
    float value[2 * HALF + 1];
    int half = IP_MIN(HALF, (int)ceilf(2 * (most + 2))), top = half;
    for (int k = -half; k <= half; k++)
        value[k + half] = ip_sample_linear(luma, at.x - .5f + .5f * (float)k * normal.x, at.y - .5f + .5f * (float)k * normal.y);
    float low = .5f * (value[0] + value[1]), high = .5f * (value[2 * half] + value[2 * half - 1]);
    for (int k = 0; k <= 2 * half; k++)
        value[k] -= low + (high - low) * (float)k / (float)(2 * half);
    for (int k = half - 2; k <= half + 2; k++)
        if (fabsf(value[k]) > fabsf(value[top]))
            top = k;
    int left = top, right = top;
    while (left > 0 && value[left - 1] / value[top] > .5f)
        left--;
    while (right < 2 * half && value[right + 1] / value[top] > .5f)
        right++;
    return fabsf(value[top]) > 1e-4f ? .5f * (float)(right - left + 1) : 0;
}

ipos_status ip_curve_width(const ip_plane_f *luma, const ip_curve *curve, float most, float *width) {
    float *each = ip_calloc(IP_MAX(curve->count, 1), sizeof *each);
    size_t count = 0;
    *width = 0;
    if (!each)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < curve->count; i++) {
        ip_point tangent, normal;
        ip_curve_frame(curve, i, 3, &tangent, &normal);
        float one = profile_width(luma, curve->at[i], normal, most);
        if (one > 0)
            each[count++] = fminf(one, most);
    }
    qsort(each, count, sizeof *each, ip_by_float);
    *width = count ? each[count / 2] : 0;
    ip_free(each);
    return IPOS_OK;
}
