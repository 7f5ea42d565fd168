/* Cuts and repeats on made-up clips with known answers. */
#include "fixture.h"
#include "cuts.h"
#include <math.h>
#include <stdlib.h>

typedef struct clip {
    uint16_t (*frames)[IP_THUMB_SIZE];
    int64_t count;
} clip;

static ipos_status get(void *user, int64_t index, uint16_t out[IP_THUMB_SIZE], bool *same)
{
    clip *c = user;

    memcpy(out, c->frames[index], sizeof c->frames[index]);
    *same = index > 0 && memcmp(c->frames[index], c->frames[index - 1], sizeof c->frames[index]) == 0;
    return IPOS_OK;
}

/* Texture of a scene at a position, with grain and light. */
static void draw(uint16_t *out, int scene, double position, double light, unsigned seed)
{
    srand(seed + 1);
    for (int i = 0; i < IP_THUMB_SIZE; i++) {
        double x = i % IP_THUMB_W + position, y = i / IP_THUMB_W;
        double value = 0.4 + 0.15 * sin(x * (0.4 + 0.13 * scene) + scene) + 0.15 * cos(y * (0.5 + 0.2 * scene) - x * 0.2 * scene);
        value = value * light + 0.004 * ((double)rand() / RAND_MAX - 0.5);
        out[i] = (uint16_t)(fmin(fmax(value, 0), 1.9) * IP_THUMB_ONE);
    }
}

static clip new_clip(int64_t count)
{
    return (clip){ip_calloc((size_t)count, sizeof(uint16_t[IP_THUMB_SIZE])), count};
}

static void expect(clip *c, const int64_t *cuts, size_t cut_count, const int64_t *duplicates, size_t duplicate_count)
{
    ip_shots shots;

    need(ip_shots_find(c->count, get, c, &shots));
    assert_int_equal(shots.cut_count, cut_count);
    for (size_t i = 0; i < cut_count; i++)
        assert_int_equal(shots.cuts[i], cuts[i]);
    assert_int_equal(shots.duplicate_count, duplicate_count);
    for (size_t i = 0; i < duplicate_count; i++)
        assert_int_equal(shots.duplicates[i], duplicates[i]);
    ip_shots_free(&shots);
    ip_free(c->frames);
}

static void cuts_among_motion(void **state)
{
    static const int64_t cuts[] = {20, 33, 60};
    clip c = new_clip(80);

    (void)state;
    for (int i = 0; i < 80; i++) {
        int scene = i < 20 ? 0 : i < 33 ? 1 : i < 60 ? 2 : 3;
        draw(c.frames[i], scene, (scene & 1 ? 1.7 : 0.3) * i, 1, (unsigned)i);
    }
    expect(&c, cuts, 3, NULL, 0);
}

static void flashes_and_flicker_are_no_cuts(void **state)
{
    clip c = new_clip(60);

    (void)state;
    for (int i = 0; i < 60; i++) {
        double light = i == 20 || i == 21 ? 1.9 : i == 40 ? 0.2 : 1 + 0.1 * (i & 1);
        draw(c.frames[i], 1, 0.5 * i, light, (unsigned)i);
    }
    expect(&c, NULL, 0, NULL, 0);
}

/* Bars fill half of the picture: the cut in what is left must still show, and a dark clip is not all bar. */
static void letterbox_is_ignored(void **state)
{
    static const int64_t cuts[] = {15};
    clip c = new_clip(30);

    (void)state;
    for (int i = 0; i < 30; i++) {
        draw(c.frames[i], i < 15 ? 0 : 2, 0.2 * i, 1, (unsigned)i);
        for (int k = 0; k < IP_THUMB_SIZE; k++)
            if (k / IP_THUMB_W < 5 || k / IP_THUMB_W >= 13)
                c.frames[i][k] = (uint16_t)(0.06 * IP_THUMB_ONE);
    }
    expect(&c, cuts, 1, NULL, 0);
    c = new_clip(10);
    expect(&c, NULL, 0, (const int64_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9}, 9);
}

static void repeats(void **state)
{
    static const int64_t duplicates[] = {3, 6, 9, 12, 15, 18};
    clip c = new_clip(24);
    int position = 0;

    (void)state;
    /* Every third frame up to 18 repeats, with coding noise far below the motion; the still end is no repeat. */
    for (int i = 0; i < 24; i++) {
        position += i <= 18 && i % 3 == 0 ? 0 : 1;
        draw(c.frames[i], 1, 1.1 * position, 1, (unsigned)position);
        if (i % 3 == 0 && i <= 18)
            c.frames[i][5] ^= 7;
    }
    expect(&c, NULL, 0, duplicates, 6);
    c = new_clip(24);
    for (int i = 0; i < 24; i++)
        draw(c.frames[i], 1, 0, 1, (unsigned)i); /* a locked-off shot with grain */
    expect(&c, NULL, 0, NULL, 0);
    c = new_clip(1);
    expect(&c, NULL, 0, NULL, 0);
    c = new_clip(0);
    expect(&c, NULL, 0, NULL, 0);
}

/* The thumbnail of a frame does not depend on its sample type, and channels outside the display window count for nothing. */
static void thumbnails(void **state)
{
    uint16_t a[IP_THUMB_SIZE], b[IP_THUMB_SIZE];

    (void)state;
    ipos_frame *byte = make_picture(320, 180, 1, 0, IPOS_U8), *half = make_picture(320, 180, 1, 0, IPOS_F16);
    need(ip_thumb_make(byte, "srgb", a));
    need(ip_thumb_make(half, "srgb", b));
    for (int i = 0; i < IP_THUMB_SIZE; i++)
        assert_in_range(abs(a[i] - b[i]), 0, IP_THUMB_ONE / 200);
    need_fail(ip_thumb_make(byte, "technicolor", a), IPOS_ERR_ARGUMENT, "technicolor");
    half->display_window.width *= 2;
    need(ip_thumb_make(half, "srgb", b));
    assert_int_equal(b[IP_THUMB_W - 1], 0);
    ipos_frame_release(byte);
    ipos_frame_release(half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_among_motion),
        cmocka_unit_test(flashes_and_flicker_are_no_cuts),
        cmocka_unit_test(letterbox_is_ignored),
        cmocka_unit_test(repeats),
        cmocka_unit_test(thumbnails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
