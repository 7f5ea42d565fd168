#include "bloom.h"
#include "gauss.h"
#include <math.h>

static const double REMOVE_MOST = .45, REMOVE_CLOSE = 1e-5;
enum { REMOVE_STEPS = 40 };

static double sum_of(const double *weight) {
    double sum = 0.;
    for (int k = 0; k < IP_BLOOM_KERNELS; k++)
        sum += weight[k];
    return sum;
}

double ip_bloom_within(const ip_bloom *bloom, const ip_bloom_channel *channel, double radius) {
    double sum = sum_of(channel->weight), within = 0.;
    for (int k = 0; k < IP_BLOOM_KERNELS; k++)
        within += channel->weight[k] * (1. - exp(-.5 * radius * radius / (bloom->sigma[k] * bloom->sigma[k])));
    return sum > 0. ? within / sum : 0.;
}

double ip_bloom_at(const ip_bloom *bloom, const ip_bloom_channel *channel, double radius) {
    double sum = sum_of(channel->weight), value = 0., share = bloom->strength_known ? channel->strength : 1.;
    for (int k = 0; k < IP_BLOOM_KERNELS; k++) {
        double variance = bloom->sigma[k] * bloom->sigma[k];
        value += channel->weight[k] * exp(-.5 * radius * radius / variance) / (2. * M_PI * variance);
    }
    return sum > 0. ? share * value / sum : 0.;
}

/* psf * from for one channel, the radii scaled. */
static ipos_status halo(const ip_bloom *bloom, const ip_bloom_channel *channel, double scale, const ip_plane_f *from, const ip_plane_f *to,
    int threads) {
    ip_plane_f part[2];
    IP_TRY(ip_planes_new(from->width, from->height, part, 2));
    double sum = sum_of(channel->weight);
    ip_plane_f target = *to;
    ip_plane_fill(&target, 0.f);
    for (int k = 0; k < IP_BLOOM_KERNELS; k++) {
        if (!(channel->weight[k] > 0.))
            continue;
        ip_gauss_blur(from, &part[0], &part[1], bloom->sigma[k] * scale, threads);
        float share = (float)(channel->weight[k] / sum);
        for (int y = 0; y < to->height; y++)
            for (int x = 0; x < to->width; x++)
                ip_row(to, y)[x] += share * ip_row(&part[0], y)[x];
    }
    ip_planes_free(part, 2);
    return IPOS_OK;
}

static bool applies(const ip_bloom *bloom, const ip_bloom_channel *channel) {
    return bloom->strength_known && ip_measured(&channel->reading) && channel->strength > 0. && sum_of(channel->weight) > 0.;
}

ipos_status ip_bloom_add(const ip_bloom *bloom, const ip_image3 *image, int threads) {
    double scale = bloom->width > 0 ? (double)image->c[0].width / (double)bloom->width : 1.;
    ip_plane_f glow;
    IP_TRY(ip_plane_new(image->c[0].width, image->c[0].height, &glow));
    ipos_status status = IPOS_OK;
    for (int c = 0; c < 3 && status == IPOS_OK; c++) {
        const ip_bloom_channel *channel = &bloom->channel[c];
        if (!applies(bloom, channel))
            continue;
        const ip_plane_f *plane = &image->c[c];
        float s = (float)channel->strength;
        status = halo(bloom, channel, scale, plane, &glow, threads);
        for (int y = 0; y < plane->height && status == IPOS_OK; y++)
            for (int x = 0; x < plane->width; x++)
                ip_row(plane, y)[x] += s * (ip_row(&glow, y)[x] - ip_row(plane, y)[x]);
    }
    ip_plane_free(&glow);
    return status;
}

/* One step; the largest change. */
static float remove_step(const ip_plane_f *seen, const ip_plane_f *glow, float s, const ip_plane_f *light) {
    float most = 0.f;
    for (int y = 0; y < light->height; y++)
        for (int x = 0; x < light->width; x++) {
            float next = (ip_row(seen, y)[x] - s * ip_row(glow, y)[x]) / (1.f - s);
            most = fmaxf(most, fabsf(next - ip_row(light, y)[x]));
            ip_row(light, y)[x] = next;
        }
    return most;
}

static float brightest(const ip_plane_f *plane) {
    float most = 0.f;
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            most = fmaxf(most, fabsf(ip_row(plane, y)[x]));
    return most;
}

ipos_status ip_bloom_remove(const ip_bloom *bloom, const ip_image3 *image, int threads) {
    double scale = bloom->width > 0 ? (double)image->c[0].width / (double)bloom->width : 1.;
    for (int c = 0; c < 3; c++)
        if (applies(bloom, &bloom->channel[c]) && bloom->channel[c].strength > REMOVE_MOST)
            return ip_fail(IPOS_ERR_ARGUMENT, "bloom: strength %.3f is too much to remove, expected at most %.2f", bloom->channel[c].strength, REMOVE_MOST);
    ip_plane_f part[2];
    IP_TRY(ip_planes_new(image->c[0].width, image->c[0].height, part, 2));
    ipos_status status = IPOS_OK;
    for (int c = 0; c < 3 && status == IPOS_OK; c++) {
        const ip_plane_f *light = &image->c[c];
        if (!applies(bloom, &bloom->channel[c]))
            continue;
        ip_plane_copy(&part[0], light);
        float close = (float)REMOVE_CLOSE * brightest(light), change = INFINITY;
        for (int i = 0; i < REMOVE_STEPS && status == IPOS_OK && change > close; i++) {
            status = halo(bloom, &bloom->channel[c], scale, light, &part[1], threads);
            change = status == IPOS_OK ? remove_step(&part[0], &part[1], (float)bloom->channel[c].strength, light) : 0.f;
        }
    }
    ip_planes_free(part, 2);
    return status;
}

static const ip_field channel_fields[] = {
    IP_FIELD(ip_bloom_channel, reading, IP_FIELD_READING), IP_FIELDS(ip_bloom_channel, weight, IP_FIELD_REAL, IP_BLOOM_KERNELS),
    IP_FIELD(ip_bloom_channel, radius, IP_FIELD_REAL), IP_FIELD(ip_bloom_channel, strength, IP_FIELD_REAL),
    IP_FIELD(ip_bloom_channel, explained, IP_FIELD_REAL)};
static const char *const channel_names[] = {"luma", "red", "green", "blue"};

static ip_bloom_channel *channel_at(ip_bloom *bloom, int i) { return i == 0 ? &bloom->luma : &bloom->channel[i - 1]; }

json_t *ip_bloom_json(const ip_bloom *bloom) {
    json_t *sigma = json_array();
    for (int k = 0; k < IP_BLOOM_KERNELS; k++)
        json_array_append_new(sigma, json_real(bloom->sigma[k]));
    json_t *out = json_pack("{s:b, s:I, s:o}", "strength_known", bloom->strength_known, "width", (json_int_t)bloom->width, "sigma", sigma);
    for (int i = 0; i < 4 && out; i++)
        if (json_object_set_new(out, channel_names[i], ip_record_json(channel_fields, IP_COUNT(channel_fields), channel_at((ip_bloom *)bloom, i))) != 0) {
            json_decref(out);
            out = NULL;
        }
    return out;
}

ipos_status ip_bloom_parse(const json_t *value, ip_bloom *out) {
    static const ip_field own[] = {IP_FIELD(ip_bloom, strength_known, IP_FIELD_BOOL), IP_FIELD(ip_bloom, width, IP_FIELD_INT),
        IP_FIELDS(ip_bloom, sigma, IP_FIELD_REAL, IP_BLOOM_KERNELS)};
    *out = (ip_bloom){0};
    if (!json_is_object(value))
        return ip_fail(IPOS_ERR_FORMAT, "bloom: expected a JSON object");
    json_t *rest = json_copy((json_t *)value);
    if (!rest)
        return ip_no_memory(sizeof *out);
    ipos_status status = IPOS_OK;
    for (int i = 0; i < 4 && status == IPOS_OK; i++) {
        status = ip_record_parse(channel_fields, IP_COUNT(channel_fields), json_object_get(value, channel_names[i]), "bloom", channel_at(out, i));
        json_object_del(rest, channel_names[i]);
    }
    if (status == IPOS_OK)
        status = ip_record_parse(own, IP_COUNT(own), rest, "bloom", out);
    json_decref(rest);
    for (int i = 0; i < 4 && status == IPOS_OK; i++)
        for (int k = 0; k < IP_BLOOM_KERNELS; k++)
            if (channel_at(out, i)->weight[k] < 0. || out->sigma[k] <= 0. || channel_at(out, i)->strength >= 1.)
                status = ip_fail(IPOS_ERR_FORMAT, "bloom: weights are at least 0, sigmas over 0 and strength below 1");
    return status;
}
