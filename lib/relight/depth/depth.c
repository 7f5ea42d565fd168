#include "depth.h"
#include "depth_parts.h"
#include "gauss.h"
#include "simd.h"

#include <math.h>

static const float LIMIT = .6f;

ipos_status ip_depth_feature(const ip_plane_f *luma, int threads, ip_plane_f *out) {
    IP_TRY(ip_plane_new(luma->width, luma->height, out));
    ipos_status status = ip_local_normal(luma, 4 * (double)luma->width / 640, .01f, out, threads);
    for (int y = 0; y < luma->height && status == IPOS_OK; y++)
        for (int x = 0; x < luma->width; x++)
            ip_row(out, y)[x] = .5f * fminf(fmaxf(ip_row(out, y)[x], -2.5f), 2.5f);
    if (status != IPOS_OK)
        ip_plane_free(out);
    return status;
}

/* Where pixels of one view lie in another: (a (x, y, 1) + w b), divided by its third. */
typedef struct mapping {
    float a[9], b[3];
} mapping;

static mapping map_between(const ip_pose *of, const ip_pose *to, const ip_lens *lens) {
    mapping m;
    double r[9], t[3], turned[3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            r[3 * i + j] = 0;
            for (int k = 0; k < 3; k++)
                r[3 * i + j] += to->r[3 * i + k] * of->r[3 * j + k];
        }
    for (int i = 0; i < 3; i++) {
        turned[i] = r[3 * i] * of->t[0] + r[3 * i + 1] * of->t[1] + r[3 * i + 2] * of->t[2];
        t[i] = to->t[i] - turned[i];
    }
    double rows[3][4]; /* r and t in pixels: lens applied from the left */
    for (int j = 0; j < 4; j++) {
        double v[3] = {j < 3 ? r[j] : t[0], j < 3 ? r[3 + j] : t[1], j < 3 ? r[6 + j] : t[2]};
        rows[0][j] = lens->focal * v[0] + lens->cx * v[2];
        rows[1][j] = lens->focal * v[1] + lens->cy * v[2];
        rows[2][j] = v[2];
    }
    for (int i = 0; i < 3; i++) { /* and the inverse lens from the right */
        m.a[3 * i] = (float)(rows[i][0] / lens->focal);
        m.a[3 * i + 1] = (float)(rows[i][1] / lens->focal);
        m.a[3 * i + 2] = (float)(rows[i][2] - rows[i][0] * lens->cx / lens->focal - rows[i][1] * lens->cy / lens->focal);
        m.b[i] = (float)rows[i][3];
    }
    return m;
}

typedef struct sweep_job {
    const ip_depth_view *of, *others;
    size_t count;
    const ip_depth_options *options;
    mapping map[IP_DEPTH_VIEWS];
    ip_volume *volume;
    atomic_bool failed;
} sweep_job;

IP_HOT static void compare_row(const ip_plane_f *feature, const float *own, const mapping *m, float w, int y, float *cost) {
    int width = feature->width;
    float low = 0, right = (float)(width - 1), bottom = (float)(feature->height - 1);
    float cx = m->a[1] * (float)y + m->a[2] + w * m->b[0], cy = m->a[4] * (float)y + m->a[5] + w * m->b[1], cz = m->a[7] * (float)y + m->a[8] + w * m->b[2];
    for (int x = 0; x < width; x++) {
        float z = m->a[6] * (float)x + cz, u = (m->a[0] * (float)x + cx) / z, v = (m->a[3] * (float)x + cy) / z;
        if (!(z > 1e-9f && u >= low && v >= low && u < right && v < bottom)) {
            cost[x] = LIMIT;
            continue;
        }
        int ix = (int)u, iy = (int)v;
        float fx = u - (float)ix, fy = v - (float)iy;
        const float *p = feature->data + (ptrdiff_t)iy * feature->stride + ix, *q = p + feature->stride;
        float value = (1 - fy) * ((1 - fx) * p[0] + fx * p[1]) + fy * ((1 - fx) * q[0] + fx * q[1]);
        cost[x] = fminf(fabsf(value - own[x]), LIMIT);
    }
}

/* The mean of the better two thirds; costs: count rows of `stride`. */
IP_HOT static void better_mean(const float *costs, ptrdiff_t stride, size_t count, int width, float *out) {
    size_t keep = (2 * count + 2) / 3;
    for (int x = 0; x < width; x++) {
        float best[IP_DEPTH_VIEWS], sum = 0;
        for (size_t s = 0; s < count; s++) {
            float value = costs[(ptrdiff_t)s * stride + x];
            size_t k = s;
            for (; k > 0 && best[k - 1] > value; k--)
                best[k] = best[k - 1];
            best[k] = value;
        }
        for (size_t s = 0; s < keep; s++)
            sum += best[s];
        out[x] = sum / (float)keep;
    }
}

static void sweep_planes(void *user, int64_t begin, int64_t end) {
    sweep_job *job = user;
    const ip_plane_f *own = job->of->feature;
    ip_plane_f part[2], rows;
    const ip_depth_options *o = job->options;
    if (ip_planes_new(own->width, own->height, part, 2) != IPOS_OK) {
        atomic_store(&job->failed, true);
        return;
    }
    if (ip_plane_new(own->width, (int)job->count, &rows) != IPOS_OK) {
        atomic_store(&job->failed, true);
        ip_planes_free(part, 2);
        return;
    }
    for (int64_t d = begin; d < end && ip_alive(o->pulse); d++) {
        float w = (float)(o->far_inverse + (o->near_inverse - o->far_inverse) * (double)d / (IP_DEPTH_PLANES - 1));
        for (int y = 0; y < own->height; y++) {
            for (size_t s = 0; s < job->count; s++)
                compare_row(job->others[s].feature, ip_row(own, y), &job->map[s], w, y, ip_row(&rows, (int)s));
            better_mean(rows.data, rows.stride, job->count, own->width, ip_row(&part[0], y));
        }
        ip_box_blur(&part[0], &part[0], &part[1], 2, 2, 1);
        for (int y = 0; y < own->height; y++) {
            uint8_t *to = job->volume->cost + (size_t)y * (size_t)own->width * IP_DEPTH_PLANES + d;
            for (int x = 0; x < own->width; x++)
                to[(size_t)x * IP_DEPTH_PLANES] = (uint8_t)(ip_row(&part[0], y)[x] * IP_DEPTH_UNIT + .5f);
        }
    }
    ip_planes_free(part, 2);
    ip_plane_free(&rows);
}

ipos_status ip_depth_find(const ip_depth_view *of, const ip_depth_view *others, size_t count, const ip_depth_options *options, ip_plane_f *inverse) {
    int width = of->feature->width, height = of->feature->height;
    size_t samples = (size_t)width * (size_t)height * IP_DEPTH_PLANES;
    ip_volume volume = {width, height, ip_alloc(samples), ip_calloc(samples, sizeof *volume.sum)};
    sweep_job job = {.of = of, .others = others, .count = count, .options = options, .volume = &volume};
    ipos_status status = volume.cost && volume.sum ? ip_plane_new(width, height, inverse) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        for (size_t s = 0; s < count; s++)
            job.map[s] = map_between(of->pose, others[s].pose, &options->lens);
        ip_parallel(options->threads, IP_DEPTH_PLANES, 4, sweep_planes, &job);
        status = atomic_load(&job.failed) ? IPOS_ERR_NO_MEMORY : ip_depth_choose(&volume, of->feature, options, inverse);
        if (status == IPOS_OK && !ip_alive(options->pulse))
            status = ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
        if (status != IPOS_OK)
            ip_plane_free(inverse);
    }
    ip_free(volume.cost);
    ip_free(volume.sum);
    return status;
}

typedef struct agree_job {
    const ip_plane_f *inverse, *const *others, *agreeing;
    const mapping *map;
    size_t count;
    float tolerance;
} agree_job;

static void agree_rows(void *user, int64_t begin, int64_t end) {
    const agree_job *job = user;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->inverse->width; x++) {
            float w = ip_row(job->inverse, y)[x], sum = 0;
            for (size_t s = 0; s < job->count; s++) {
                const float *a = job->map[s].a, *b = job->map[s].b;
                float z = a[6] * (float)x + a[7] * (float)y + a[8] + w * b[2];
                float u = (a[0] * (float)x + a[1] * (float)y + a[2] + w * b[0]) / z, v = (a[3] * (float)x + a[4] * (float)y + a[5] + w * b[1]) / z;
                int ix = (int)lrintf(u), iy = (int)lrintf(v);
                if (!(z > 1e-9f) || ix < 0 || iy < 0 || ix >= job->inverse->width || iy >= job->inverse->height)
                    continue;
                sum += fabsf(ip_row(job->others[s], iy)[ix] * z / fmaxf(w, 1e-12f) - 1) < job->tolerance; /* z here is depth there over depth here */
            }
            ip_row(job->agreeing, y)[x] = sum;
        }
}

void ip_depth_agree(const ip_plane_f *inverse, const ip_pose *pose, const ip_plane_f *const *others, const ip_pose *const *poses, size_t count,
    const ip_lens *lens, float tolerance, int threads, const ip_plane_f *agreeing) {
    mapping map[32];
    agree_job job = {inverse, others, agreeing, map, IP_MIN(count, IP_COUNT(map)), tolerance};
    for (size_t s = 0; s < job.count; s++)
        map[s] = map_between(pose, poses[s], lens);
    ip_parallel(threads, inverse->height, 8, agree_rows, &job);
}
