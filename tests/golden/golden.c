/* Pictures that must not change unawares: in-betweens of known footage beside stored ones, within a tolerance that leaves room for
 * other processors and libraries. `golden FOLDER` compares, `golden FOLDER --update` writes them anew (look at them before a commit). */
#include "fake_host.h"
#include "io.h"
#include "moving.h"

#include <math.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

extern const ip_op ip_op_inbetween;
static const char *folder;
static bool update;

/* Mean and largest difference in parts of the range of 8 bits. */
static void differ(const ipos_frame *a, const ipos_frame *b, double *mean, double *most) {
    *mean = *most = 0;
    assert_int_equal(a->channel_count, b->channel_count);
    for (size_t c = 0; c < a->channel_count; c++) {
        const ip_channel *p = &a->channels[c], *q = &b->channels[ipos_frame_find_channel(b, a->channels[c].name)];
        assert_true(p->width == q->width && p->height == q->height && p->type == IPOS_U8 && q->type == IPOS_U8);
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++) {
                double d = fabs((double)p->data[y * p->row_stride + x * p->pixel_stride] - q->data[y * q->row_stride + x * q->pixel_stride]);
                *mean += d / ((double)p->width * p->height * (double)a->channel_count);
                *most = fmax(*most, d);
            }
    }
}

static void against(ipos_frame *made, const char *name) {
    ip_io_env env = {0};
    char *path = ip_format("%s/%s.png", folder, name);
    if (update) {
        assert_int_equal(ip_image_write(&made, 1, NULL, path, NULL, NULL), IPOS_OK);
    } else {
        ipos_frame *golden;
        if (ip_image_read(&env, path, NULL, 0, 0, &golden) != IPOS_OK)
            fail_msg("%s", ipos_last_error());
        double mean, most;
        differ(made, golden, &mean, &most);
        if (mean > .25 || most > 12)
            fail_msg("%s changed: mean difference %.3f (at most .25), largest %.0f (at most 12)", path, mean, most);
        ipos_frame_release(golden);
    }
    ip_free(path);
}

static void inbetween_variants(void **state) {
    (void)state;
    static const char *const variants[] = {"full", "plain", "average"};
    fake_host fake;
    fake_open(&fake, ip_op_inbetween.spec, 1, 20, "rec709", moving_u8, NULL);
    const ipos_rational times[] = {{10, 1}, {41, 4}};
    fake_times(&fake, times, 2);
    assert_int_equal(ip_op_inbetween.run(&fake.host), IPOS_OK);
    for (int v = 0; v < 3; v++)
        for (int t = 0; t < 2; t++) {
            char *name = ip_format("inbetween_%s_%s", variants[v], t ? "10.25" : "10");
            against(fake_picture(&fake, variants[v], times[t]), name);
            ip_free(name);
        }
    fake_close(&fake);
}

int main(int count, char **words) {
    folder = count > 1 ? words[1] : ".";
    update = count > 2 && !strcmp(words[2], "--update");
    const struct CMUnitTest tests[] = {cmocka_unit_test(inbetween_variants)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
