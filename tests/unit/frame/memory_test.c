/* Memory that runs out at every single place: a status, no crash, nothing leaked (AddressSanitizer sees to the last). */
#include "core.h"
#include "frame.h"

#include <interpos/operation.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* The linker puts these in the place of the C library's. */
static long left = -1; /* < 0: no limit */

static bool refuse(void)
{
    return left >= 0 && left-- == 0;
}

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes)
{
    return refuse() ? NULL : __real_malloc(bytes);
}

void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes)
{
    return refuse() ? NULL : __real_calloc(count, bytes);
}

void *__real_realloc(void *block, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes)
{
    return refuse() ? NULL : __real_realloc(block, bytes);
}

static ipos_status use_frames(void)
{
    ipos_box box = {0, 0, 33, 5};
    ipos_channel channels[] = {{"R", IPOS_F16}, {"G", IPOS_F16}, {"B", IPOS_F16}, {"id", IPOS_U32}};
    ipos_frame *frame = NULL, *made = NULL, *over = NULL;
    ipos_status status = ip_frame_new(&box, NULL, channels, 4, NULL, NULL, &frame);
    if (status == IPOS_OK)
        status = ipos_frame_set_encoding(frame, "acescg");
    for (int i = 0; i < 5 && status == IPOS_OK; i++)
        status = ip_frame_set_text(frame, (const char *[]){"a", "b", "c", "d", "a"}[i], "text");
    if (status == IPOS_OK)
        status = ipos_frame_set_timecode(frame, &(ipos_timecode){1, 2, 3, 4, 0, 0});
    if (status == IPOS_OK)
        status = ipos_frame_convert(frame, IPOS_U8, &made);
    if (status == IPOS_OK) {
        ipos_plane plane = {made->channels[0].data, made->channels[0].row_stride, 1};
        status = ip_frame_over(&box, NULL, &(ipos_channel){"R", IPOS_U8}, &plane, 1, NULL, NULL, &over);
    }
    char hex[65];
    if (status == IPOS_OK && !ip_frame_hash(frame, hex))
        status = IPOS_ERR_NO_MEMORY;
    ipos_frame_release(over);
    ipos_frame_release(made);
    ipos_frame_release(frame);
    return status;
}

static ipos_status use_core(void)
{
    static const ip_option_spec specs[] = {{.name = "steps", .type = IPOS_OPTION_INT, .preset = "1", .maximum = 9},
        {.name = "title", .type = IPOS_OPTION_TEXT}};
    ip_option_values *values = ip_options_new(specs, 2);
    ipos_status status = values ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = ip_options_set(values, "steps", "3");
    if (status == IPOS_OK)
        status = ip_options_set(values, "title", "x");
    ip_options_free(values);
    ip_buffer buffer = {0};
    for (int i = 0; i < 40; i++)
        ip_buffer_printf(&buffer, "%d and more,", i);
    char *text = ip_buffer_take(&buffer);
    void *bytes = NULL;
    size_t size;
    if (status == IPOS_OK)
        status = text ? ip_file_read("/proc/self/status", 0, &bytes, &size) : IPOS_ERR_NO_MEMORY;
    ip_free(bytes);
    ip_free(text);
    return status;
}

static void try_everywhere(ipos_status (*use)(void))
{
    assert_int_equal(use(), IPOS_OK);
    for (long place = 0;; place++) {
        left = place;
        ipos_status status = use();
        bool reached = left < 0;
        left = -1;
        if (!reached) {
            assert_int_equal(status, IPOS_OK);
            assert_true(place > 5);
            break;
        }
        assert_int_equal(status, IPOS_ERR_NO_MEMORY);
        assert_non_null(strstr(ipos_last_error(), "out of memory"));
    }
}

static void test_frames(void **state)
{
    (void)state;
    try_everywhere(use_frames);
}

static void test_core(void **state)
{
    (void)state;
    try_everywhere(use_core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_frames), cmocka_unit_test(test_core)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
