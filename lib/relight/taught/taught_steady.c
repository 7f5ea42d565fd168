/* A carried frame together with those beside it. */
#include "taught.h"
#include "curves.h"

#include <math.h>

static const float BESIDE = .25f; /* weight of a frame beside */
static const float APART = 15.3f; /* difference of lumas at which it counts 1/e of that */

typedef struct steady_job {
    const ip_taught_beside *beside;
    size_t count;
    const ip_plane_f *luma, *seen;
    const ip_image3 *code, *out;
} steady_job;

/* ax, ay: the place in the analysis. code: what it shows; NAN outside the picture. */
static float weigh(const steady_job *job, const ip_taught_beside *b, float ax, float ay, float wide, float high, float code[3]) {
    float bx = ax + ip_sample_linear(&b->flow[0], ax, ay), by = ay + ip_sample_linear(&b->flow[1], ax, ay);
    if (!(bx >= 0 && by >= 0 && bx <= (float)(job->luma->width - 1) && by <= (float)(job->luma->height - 1)))
        return 0;
    float apart = (ip_sample_linear(b->luma, bx, by) - ip_sample_linear(job->luma, ax, ay)) / APART;
    float share = ip_sample_linear(job->seen, ax, ay) * (b->seen ? ip_sample_linear(b->seen, bx, by) : 1);
    ip_sample_even3(b->code, (bx + .5f) * wide - .5f, (by + .5f) * high - .5f, code);
    return isfinite(code[0] + code[1] + code[2]) ? BESIDE * share * expf(-apart * apart) : 0;
}

static void steady_rows(void *user, int64_t begin, int64_t end) {
    const steady_job *job = user;
    float wide = (float)job->out->c[0].width / (float)job->luma->width, high = (float)job->out->c[0].height / (float)job->luma->height;
    for (int y = (int)begin; y < (int)end; y++)
        for (int x = 0; x < job->out->c[0].width; x++) {
            float ax = ((float)x + .5f) / wide - .5f, ay = ((float)y + .5f) / high - .5f, sum[3], beside[3], total = 1;
            for (int c = 0; c < 3; c++)
                sum[c] = ip_row(&job->code->c[c], y)[x];
            for (size_t k = 0; k < job->count; k++) {
                float weight = weigh(job, &job->beside[k], ax, ay, wide, high, beside);
                for (int c = 0; c < 3 && weight > 0; c++)
                    sum[c] += weight * beside[c];
                total += weight;
            }
            for (int c = 0; c < 3; c++)
                ip_row(&job->out->c[c], y)[x] = ip_srgb_to_linear(sum[c] / total);
        }
}

void ip_taught_steady(const ip_taught_beside *beside, size_t count, const ip_plane_f *luma, const ip_plane_f *seen, int threads, const ip_image3 *code,
    const ip_image3 *out) {
    steady_job job = {beside, count, luma, seen, code, out};
    ip_parallel(threads, out->c[0].height, 8, steady_rows, &job);
}
