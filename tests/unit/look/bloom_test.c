/* Bloom of known point spread and strength, and clean plates that must be refused. */
#include "film.h"
#include "bloom.h"

enum { W = 320, H = 240 };
static const double TRUE_SIGMA = 7., TRUE_STRENGTH[3] = {.12, .08, .05};

/* Lamps of 2 to 5 pixels on a dark textured plate. */
static void lamps(film *f, uint64_t seed) {
    ip_rng rng = ip_rng_at(seed, 1);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                ip_row(&f->frame[0].c[c], y)[x] = .04f + .005f * film_texture(x, y, seed);
    for (int i = 0; i < 16; i++) {
        double cx = 30. + ip_rng_unit(&rng) * (W - 60), cy = 30. + ip_rng_unit(&rng) * (H - 60), radius = 1.5 + 2.5 * ip_rng_unit(&rng);
        double power[3] = {5. + 25. * ip_rng_unit(&rng), 0., 0.};
        power[1] = .9 * power[0], power[2] = .7 * power[0];
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double cover = fmin(1., fmax(0., radius + .5 - hypot(x - cx, y - cy)));
                for (int c = 0; c < 3; c++)
                    ip_row(&f->frame[0].c[c], y)[x] += (float)(cover * (power[c] - ip_row(&f->frame[0].c[c], y)[x]));
            }
    }
}

/* The halo by plain summation over the lamps, apart from the library: samples over 1 spread by exp(-r^2 / 2 s^2). */
static void add_halo(film *f, const double strength[3]) {
    for (int c = 0; c < 3; c++) {
        ip_plane_f *p = &f->frame[0].c[c], light;
        assert_int_equal(ip_plane_new(W, H, &light), IPOS_OK);
        ip_plane_copy(&light, p);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                ip_row(p, y)[x] *= (float)(1. - strength[c]);
        for (int sy = 0; sy < H; sy++)
            for (int sx = 0; sx < W; sx++) {
                double power = strength[c] * ip_row(&light, sy)[sx] / (6.283185307 * TRUE_SIGMA * TRUE_SIGMA);
                if (ip_row(&light, sy)[sx] < .5f)
                    continue;
                for (int y = IP_MAX(0, sy - 40); y < IP_MIN(H, sy + 41); y++)
                    for (int x = IP_MAX(0, sx - 40); x < IP_MIN(W, sx + 41); x++)
                        ip_row(p, y)[x] += (float)(power * exp(-.5 * ((x - sx) * (x - sx) + (y - sy) * (y - sy)) / (TRUE_SIGMA * TRUE_SIGMA)));
            }
        ip_plane_free(&light);
    }
}

static void close_to(double value, double truth, double share) {
    if (!(fabs(value / truth - 1.) <= share))
        fail_msg("%g, expected %g within %g %%", value, truth, 100. * share);
}

static void linear_gives_radius_and_strength(void **state) {
    (void)state;
    film f;
    ip_bloom bloom;
    film_new(&f, W, H, 1, "linear", 0.f);
    lamps(&f, 3);
    add_halo(&f, TRUE_STRENGTH);
    assert_int_equal(ip_bloom_measure(film_start(&f), &bloom), IPOS_OK);
    assert_true(bloom.strength_known);
    for (int c = 0; c < 3; c++) {
        if (!ip_measured(&bloom.channel[c].reading))
            fail_msg("channel %d: %s", c, bloom.channel[c].reading.reason);
        assert_true(bloom.channel[c].reading.confidence > .4);
        close_to(bloom.channel[c].radius, TRUE_SIGMA * 1.17741, .15);
        close_to(bloom.channel[c].strength, TRUE_STRENGTH[c], .15);
    }
    film_free(&f);
}

static void clipped_codes_give_the_radius_alone(void **state) {
    (void)state;
    film f;
    ip_bloom bloom;
    film_new(&f, W, H, 1, "linear", 0.f);
    lamps(&f, 3);
    add_halo(&f, TRUE_STRENGTH);
    film_to_8bit(&f);
    assert_int_equal(ip_bloom_measure(film_start(&f), &bloom), IPOS_OK);
    assert_false(bloom.strength_known);
    assert_true(ip_measured(&bloom.luma.reading));
    close_to(bloom.luma.radius, TRUE_SIGMA * 1.17741, .15);
    assert_true(bloom.luma.strength == 0.);
    assert_int_equal(ip_bloom_add(&bloom, &f.frame[0], 1), IPOS_OK); /* no strength: nothing is done */
    film_free(&f);
}

static void clean_lamps_and_plates_without_lamps_are_refused(void **state) {
    (void)state;
    film f;
    ip_bloom bloom;
    film_new(&f, W, H, 1, "linear", 0.f);
    lamps(&f, 4);
    assert_int_equal(ip_bloom_measure(film_start(&f), &bloom), IPOS_OK);
    for (int c = 0; c < 3; c++) {
        assert_false(ip_measured(&bloom.channel[c].reading));
        assert_true(bloom.channel[c].explained < .02);
        assert_true(bloom.channel[c].strength == 0. && bloom.channel[c].reading.confidence == 0.);
    }
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                ip_row(&f.frame[0].c[c], y)[x] = fminf(.9f, ip_row(&f.frame[0].c[c], y)[x]);
    assert_int_equal(ip_bloom_measure(film_start(&f), &bloom), IPOS_OK);
    assert_non_null(strstr(bloom.luma.reading.reason, "no compact highlight"));
    film_free(&f);
}

static ip_bloom known_bloom(double strength) {
    ip_bloom bloom = {.strength_known = true, .width = W};
    const double sigma[IP_BLOOM_KERNELS] = {1.5, 2.1, 3., 4.2, 6., 8.5, 12., 17., 24.};
    memcpy(bloom.sigma, sigma, sizeof sigma);
    for (int c = 0; c < 3; c++) {
        bloom.channel[c].weight[2] = .3;
        bloom.channel[c].weight[6] = .1;
        bloom.channel[c].strength = strength;
    }
    return bloom;
}

static void removing_undoes_adding(void **state) {
    (void)state;
    film f;
    film_new(&f, W, H, 1, "linear", 0.f);
    lamps(&f, 5);
    ip_bloom bloom = known_bloom(.3);
    bloom.channel[2].strength = 0.;
    ip_image3 image;
    assert_int_equal(ip_image3_new(W, H, &image), IPOS_OK);
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&image.c[c], &f.frame[0].c[c]);
    ip_row(&image.c[0], 7)[9] = ip_row(&f.frame[0].c[0], 7)[9] = -.02f;
    assert_int_equal(ip_bloom_add(&bloom, &image, 1), IPOS_OK);
    double most = 0., added = 0.;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            added = fmax(added, fabs(ip_row(&image.c[0], y)[x] - ip_row(&f.frame[0].c[0], y)[x]));
            assert_true(ip_row(&image.c[2], y)[x] == ip_row(&f.frame[0].c[2], y)[x]); /* no halo in blue: bit for bit */
        }
    assert_true(added > 1.);
    assert_int_equal(ip_bloom_remove(&bloom, &image, 1), IPOS_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            most = fmax(most, fabs(ip_row(&image.c[0], y)[x] - ip_row(&f.frame[0].c[0], y)[x]));
    assert_true(most < 1e-3); /* of lamps up to 30 */
    bloom.channel[1].strength = .6;
    assert_int_equal(ip_bloom_remove(&bloom, &image, 1), IPOS_ERR_ARGUMENT);
    ip_image3_free(&image);
    film_free(&f);
}

static void flat_light_keeps_its_level(void **state) {
    (void)state;
    ip_image3 image;
    ip_bloom bloom = known_bloom(.3);
    assert_int_equal(ip_image3_new(61, 47, &image), IPOS_OK);
    for (int c = 0; c < 3; c++)
        ip_plane_fill(&image.c[c], .37f);
    assert_int_equal(ip_bloom_add(&bloom, &image, 1), IPOS_OK);
    for (int y = 0; y < 47; y++)
        for (int x = 0; x < 61; x++)
            assert_true(fabsf(ip_row(&image.c[1], y)[x] - .37f) < 1e-5f);
    ip_image3_free(&image);
}

static void threads_do_not_change_a_bit(void **state) {
    (void)state;
    film f;
    ip_bloom one, two;
    film_new(&f, W, H, 1, "linear", 0.f);
    lamps(&f, 3);
    add_halo(&f, TRUE_STRENGTH);
    assert_int_equal(ip_bloom_measure(film_start(&f), &one), IPOS_OK);
    f.source.threads = 3;
    assert_int_equal(ip_bloom_measure(film_start(&f), &two), IPOS_OK);
    assert_memory_equal(one.channel[0].weight, two.channel[0].weight, sizeof one.channel[0].weight);
    film_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(linear_gives_radius_and_strength), cmocka_unit_test(clipped_codes_give_the_radius_alone),
        cmocka_unit_test(clean_lamps_and_plates_without_lamps_are_refused), cmocka_unit_test(removing_undoes_adding),
        cmocka_unit_test(flat_light_keeps_its_level), cmocka_unit_test(threads_do_not_change_a_bit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
