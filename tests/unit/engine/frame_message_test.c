#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "frame_message.h"
#include <stdlib.h>
#include <unistd.h>

typedef struct desk {
    ip_pool *pool;
    int reader, returned, refs;
    uint64_t last;
    ip_loans *loans;
    ip_lender lender;
} desk;

static void returned(void *user, uint64_t offset)
{
    desk *d = user;
    d->returned++;
    d->last = offset;
}

static void retain(void *user)
{
    ((desk *)user)->refs++;
}

static void release(void *user)
{
    ((desk *)user)->refs--;
}

static void open_desk(desk *d)
{
    int fd;
    *d = (desk){0};
    assert_int_equal(ip_pool_file(&fd), IPOS_OK);
    assert_int_equal(ip_pool_reopen(fd, &d->reader), IPOS_OK);
    assert_int_equal(ip_pool_new(1, fd, true, &d->pool), IPOS_OK);
    assert_int_equal(ip_loans_new(&d->loans), IPOS_OK);
    d->lender = (ip_lender){1, d->reader, d, returned, retain, release};
}

static void close_desk(desk *d)
{
    ip_pool_use use;
    ip_loans_free(d->loans);
    ip_pool_usage(d->pool, &use);
    assert_int_equal(use.blocks, 0);
    assert_int_equal(d->refs, 0);
    ip_pool_release(d->pool);
    close(d->reader);
}

static ipos_frame *make(ip_pool *pool)
{
    static const ipos_channel channels[] = {{"R", IPOS_U8, 1, 1}, {"depth.Z", IPOS_F32, 1, 1}, {"BY", IPOS_F16, 2, 2}, {"id", IPOS_U32, 1, 1}};
    const ipos_box data = {-7, 3, 50, 20}, display = {0, 0, 40, 30};
    ipos_frame *frame;
    assert_int_equal(ip_frame_new(&data, &display, channels, 4, pool ? ip_pool_storage : NULL, pool, &frame), IPOS_OK);
    for (size_t c = 0; c < 4; c++)
        for (int y = 0; y < frame->channels[c].height; y++)
            memset(frame->channels[c].data + y * frame->channels[c].row_stride, y * 4 + (int)c + 1, (size_t)frame->channels[c].width);
    ip_free(frame->encoding);
    frame->encoding = ip_strdup("logc3");
    return frame;
}

static void expect_same(const ipos_frame *a, const ipos_frame *b)
{
    char first[65], second[65];
    assert_true(ip_frame_hash(a, first));
    assert_true(ip_frame_hash(b, second));
    assert_string_equal(first, second);
    assert_string_equal(a->encoding, b->encoding);
    assert_memory_equal(&a->display_window, &b->display_window, sizeof a->display_window);
}

static void travels(bool shared)
{
    desk d;
    json_t *json;
    ipos_frame *got;
    ip_pool_use use;
    open_desk(&d);
    ipos_frame *frame = make(shared ? d.pool : NULL);
    assert_int_equal(ip_frame_lend(frame, d.pool, d.loans, &json), IPOS_OK);
    ip_pool_usage(d.pool, &use);
    assert_int_equal(use.blocks, 1); /* not copied if it was there already */
    assert_int_equal(ip_frame_borrow(json, &d.lender, &got), IPOS_OK);
    expect_same(frame, got);
    assert_int_equal(d.refs, 1);
    ipos_frame_release(frame);
    assert_int_equal(ip_loans_count(d.loans), 1);
    got->channels[0].data[0] ^= 1; /* its own view */
    ipos_frame_release(got);
    assert_int_equal(d.returned, 1);
    assert_int_equal(ip_loans_return(d.loans, d.last), IPOS_OK);
    assert_int_equal(ip_loans_return(d.loans, d.last), IPOS_ERR_FORMAT);
    json_decref(json);
    close_desk(&d);
}

static void a_shared_frame_travels_without_a_copy(void **state)
{
    (void)state;
    travels(true);
}

static void another_frame_is_copied_once(void **state)
{
    (void)state;
    travels(false);
}

/* Rows from the bottom, samples interleaved: as hosts wrap them. */
static void wrapped_frames_travel(void **state)
{
    (void)state;
    desk d;
    json_t *json;
    ipos_frame *wrapped, *got;
    uint8_t pixels[8 * 10 * 3];
    static const ipos_channel channels[] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    const ipos_box box = {0, 0, 10, 8};
    ipos_plane planes[3];
    open_desk(&d);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)i;
    for (int c = 0; c < 3; c++)
        planes[c] = (ipos_plane){pixels + 7 * 30 + c, -30, 3};
    assert_int_equal(ip_frame_over(&box, &box, channels, planes, 3, NULL, NULL, &wrapped), IPOS_OK);
    assert_int_equal(ip_frame_lend(wrapped, d.pool, d.loans, &json), IPOS_OK);
    assert_int_equal(ip_frame_borrow(json, &d.lender, &got), IPOS_OK);
    expect_same(wrapped, got);
    ipos_frame_release(got);
    ipos_frame_release(wrapped);
    json_decref(json);
    close_desk(&d);
}

static void bytes_travel(void **state)
{
    (void)state;
    desk d;
    json_t *block;
    ip_borrowed_bytes bytes;
    open_desk(&d);
    assert_int_equal(ip_bytes_lend("weights", 7, d.pool, d.loans, &block), IPOS_OK);
    json_t *body = json_pack("{s:o}", "block", block);
    assert_int_equal(ip_bytes_borrow(body, &d.lender, &bytes), IPOS_OK);
    assert_int_equal(bytes.size, 7);
    assert_memory_equal(bytes.view, "weights", 7);
    ip_bytes_return(&bytes, &d.lender);
    ip_bytes_return(&bytes, &d.lender);
    assert_int_equal(d.returned, 1);
    json_decref(body);
    close_desk(&d);
}

/* Every number and member of a description changed to what it must not be. */
static void false_descriptions_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *where, *value;
    } wrong[] = {
        {"block", "null"}, {"block", "{}"}, {"block.pool", "0"}, {"block.offset", "-4096"}, {"block.offset", "1"}, {"block.offset", "1099511627776"},
        {"block.bytes", "0"}, {"block.bytes", "-1"}, {"block.bytes", "100"}, {"block.bytes", "9223372036854775807"}, {"data", "[0,0,50]"},
        {"data", "[0,0,0,20]"}, {"data", "[0,0,50,-1]"}, {"data", "[2147483647,0,50,20]"}, {"data", "[0,0,1048576,1048576]"}, {"data", "\"x\""},
        {"display", "null"}, {"encoding", "3"}, {"channels", "[]"}, {"channels", "{}"}, {"channels", "[1]"}, {"channel.name", "5"},
        {"channel.type", "0"}, {"channel.type", "6"}, {"channel.type", "4"}, {"channel.xs", "0"}, {"channel.ys", "-1"}, {"channel.xs", "100000"},
        {"channel.offset", "-1"}, {"channel.offset", "1000000"}, {"channel.row", "1000000"}, {"channel.row", "-64"}, {"channel.row", "9223372036854775807"},
        {"channel.row", "-9223372036854775808"}, {"channel.pixel", "1000000"}, {"channel.pixel", "-1"}, {"channel.pixel", "1.5"},
    };
    desk d;
    json_t *json;
    open_desk(&d);
    ipos_frame *frame = make(d.pool), *got;
    assert_int_equal(ip_frame_lend(frame, d.pool, d.loans, &json), IPOS_OK);
    for (size_t i = 0; i < IP_COUNT(wrong); i++) {
        json_t *copy = json_deep_copy(json), *target = copy;
        const char *name = strchr(wrong[i].where, '.');
        if (name && !strncmp(wrong[i].where, "block", 5))
            target = json_object_get(copy, "block");
        else if (name)
            target = json_array_get(json_object_get(copy, "channels"), 0);
        json_object_set_new(target, name ? name + 1 : wrong[i].where, json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
        ipos_status status = ip_frame_borrow(copy, &d.lender, &got);
        if (status == IPOS_OK)
            fail_msg("%s = %s was accepted", wrong[i].where, wrong[i].value);
        assert_null(got);
        json_decref(copy);
    }
    assert_int_equal(ip_frame_borrow(NULL, &d.lender, &got), IPOS_ERR_FORMAT);
    assert_int_equal(d.returned, 0);
    assert_int_equal(d.refs, 0);
    ipos_frame_release(frame);
    json_decref(json);
    close_desk(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shared_frame_travels_without_a_copy), cmocka_unit_test(another_frame_is_copied_once),
        cmocka_unit_test(wrapped_frames_travel), cmocka_unit_test(bytes_travel), cmocka_unit_test(false_descriptions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
