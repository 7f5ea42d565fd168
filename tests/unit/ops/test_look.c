/* Measuring the look: how a decoder is led through a shot. */
#include "fake_host.h"
#include "look_op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WIDTH = 488, HEIGHT = 72, FIRST = 3, LAST = 152 };

static ipos_status make(int64_t number, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    IP_TRY(ip_frame_new(&(ipos_box){0, 0, WIDTH, HEIGHT}, NULL, channels, 3, NULL, NULL, out));
    for (size_t c = 0; c < 3; c++) {
        ip_channel *channel = &(*out)->channels[c];
        float *samples = malloc(sizeof *samples * WIDTH * HEIGHT);
        ip_rng rng = ip_rng_at((uint64_t)number, c);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                samples[y * WIDTH + x] = (float)(.4 + .1 * sin(.21 * (x - .5 * (double)number)) + .1 * sin(.17 * y + .05 * x) + .04 * (ip_rng_unit(&rng) - .5));
        ip_channel_from_float(channel, samples);
        free(samples);
    }
    return ipos_frame_set_encoding(*out, "rec709");
}

static char *measured(uint64_t memory_limit, bool once) {
    fake_host fake;
    fake_open(&fake, ip_op_look.spec, FIRST, LAST, "rec709", make, (const char *const[]){NULL});
    fake.host.memory_limit = memory_limit;
    assert_int_equal(ip_op_look.run(&fake.host), IPOS_OK);
    for (int i = 1; i < fake.fetches && once; i++)
        if (fake.fetched[i] <= fake.fetched[i - 1])
            fail_msg("frame %d was asked for after frame %d", (int)fake.fetched[i], (int)fake.fetched[i - 1]);
    assert_true(!once || fake.fetches < LAST - FIRST + 1); /* not what nothing looks at */
    assert_true(fake_fetched(&fake, FIRST) && fake_fetched(&fake, LAST));
    char *text = strdup(fake.details);
    fake_close(&fake);
    return text;
}

static void a_decoder_passes_through_a_shot_once(void **state) {
    (void)state;
    char *text = measured(0, true);
    json_t *document = json_loads(text, 0, NULL);
    assert_non_null(document);
    assert_int_equal(json_integer_value(json_object_get(document, "frames")), LAST - FIRST + 1);
    json_decref(document);
    free(text);
}

static void what_memory_does_not_hold_is_read_again(void **state) {
    (void)state;
    char *plenty = measured(0, true), *scarce = measured(3u << 20, false);
    assert_string_equal(plenty, scarce);
    free(plenty);
    free(scarce);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decoder_passes_through_a_shot_once),
        cmocka_unit_test(what_memory_does_not_hold_is_read_again),
    };
    return cmocka_run_group_tests_name("ops look", tests, NULL, NULL);
}
