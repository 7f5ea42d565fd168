#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "message.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static ip_buffer sample(void)
{
    ip_buffer buffer = {0};
    assert_int_equal(ip_message_write(&buffer, IP_FETCH, 7, json_pack("{s:I,s:s}", "job", (json_int_t)1 << 60, "clip", "A\"\n")), IPOS_OK);
    return buffer;
}

static void reads_what_was_written(void **state)
{
    (void)state;
    ip_buffer buffer = sample();
    ip_message message = {0};
    size_t used;
    int64_t job;
    const char *clip;
    /* Any part of it is not yet a message. */
    for (size_t size = 0; size < buffer.size; size++) {
        char *part = malloc(size + 1); /* its own block, so that a sanitizer sees a read past it */
        memcpy(part, buffer.data, size);
        assert_int_equal(ip_message_parse(part, size, &message, &used), IPOS_OK);
        assert_int_equal(used, 0);
        assert_null(message.body);
        free(part);
    }
    assert_int_equal(ip_message_parse(buffer.data, buffer.size, &message, &used), IPOS_OK);
    assert_int_equal(used, buffer.size);
    assert_int_equal(message.type, IP_FETCH);
    assert_int_equal(message.serial, 7);
    assert_int_equal(ip_json_int(message.body, "job", 0, INT64_MAX, &job), IPOS_OK);
    assert_true(job == (int64_t)1 << 60);
    assert_int_equal(ip_json_text(message.body, "clip", &clip), IPOS_OK);
    assert_string_equal(clip, "A\"\n");
    ip_message_clear(&message);
    ip_buffer_free(&buffer);
}

static void expect_refused(const ip_buffer *good, size_t at, int value, const char *text)
{
    ip_message message = {0};
    size_t used;
    char *copy = malloc(good->size);
    memcpy(copy, good->data, good->size);
    copy[at] = (char)value;
    assert_int_equal(ip_message_parse(copy, good->size, &message, &used), IPOS_ERR_FORMAT);
    assert_non_null(strstr(ipos_last_error(), text));
    free(copy);
}

static void refuses_other_streams(void **state)
{
    (void)state;
    ip_buffer good = sample();
    expect_refused(&good, 0, 'X', "IPE1");
    expect_refused(&good, 4, 2, "version 2");
    expect_refused(&good, 6, 0, "type 0");
    expect_refused(&good, 6, IP_MESSAGE_TYPES, "type");
    expect_refused(&good, 11, 1, "length");
    expect_refused(&good, 16, '[', "JSON");
    expect_refused(&good, 20, (char)0xff, "JSON");
    ip_buffer_free(&good);
}

static void refuses_json_that_is_no_object(void **state)
{
    (void)state;
    static const char *const bodies[] = {"[]", "1", "", "{\"a\":1,\"a\":2}", "{\"a\":1} x", "{\"a\":NaN}", "{\"a\":1e999}"};
    for (size_t i = 0; i < IP_COUNT(bodies); i++) {
        unsigned char bytes[64] = {'I', 'P', 'E', '1', 1, 0, 4, 0, (unsigned char)strlen(bodies[i])};
        ip_message message = {0};
        size_t used;
        memcpy(bytes + 16, bodies[i], strlen(bodies[i]));
        assert_int_equal(ip_message_parse(bytes, 16 + strlen(bodies[i]), &message, &used), IPOS_ERR_FORMAT);
        assert_null(message.body);
    }
}

static void refuses_what_nests_too_deep(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    ip_buffer buffer = {0};
    static const unsigned char header[16] = {'I', 'P', 'E', '1', 1, 0, 4, 0, 0xa5, 0x86, 1};
    ip_buffer_add(&buffer, header, sizeof header);
    ip_buffer_add(&buffer, "{\"a\":", 5);
    for (int i = 0; i < DEPTH; i++)
        ip_buffer_add(&buffer, "[", 1);
    ip_message message = {0};
    size_t used;
    assert_int_equal(buffer.size, 16 + 0x186a5);
    assert_int_equal(ip_message_parse(buffer.data, buffer.size, &message, &used), IPOS_ERR_FORMAT);
    ip_buffer_free(&buffer);
}

/* Any bytes: never more than a status. */
static void survives_random_damage(void **state)
{
    (void)state;
    uint32_t random = 12345;
    ip_buffer good = sample();
    for (int round = 0; round < 20000; round++) {
        char *copy = malloc(good.size);
        size_t size = good.size, used;
        ip_message message = {0};
        memcpy(copy, good.data, size);
        for (int i = 0; i < 3; i++) {
            random = random * 1664525 + 1013904223;
            copy[(random >> 8) % size] = (char)(random >> 24);
        }
        random = random * 1664525 + 1013904223;
        size = random >> 28 ? size : (random >> 8) % size;
        ipos_status status = ip_message_parse(copy, size, &message, &used);
        assert_true(status == IPOS_OK || status == IPOS_ERR_FORMAT);
        assert_true(used <= size && (used == 0) == (message.body == NULL));
        ip_message_clear(&message);
        free(copy);
    }
    ip_buffer_free(&good);
}

static void refuses_to_write_too_much(void **state)
{
    (void)state;
    ip_buffer buffer = sample();
    size_t before = buffer.size;
    char *text = calloc(1, IP_MESSAGE_LIMIT + 1);
    memset(text, 'x', IP_MESSAGE_LIMIT);
    assert_int_equal(ip_message_write(&buffer, IP_LOG, 1, json_pack("{s:s}", "text", text)), IPOS_ERR_ARGUMENT);
    assert_int_equal(buffer.size, before);
    assert_int_equal(ip_message_write(&buffer, IP_LOG, 1, NULL), IPOS_ERR_NO_MEMORY);
    assert_int_equal(buffer.size, before);
    free(text);
    ip_buffer_free(&buffer);
}

static void members_are_checked(void **state)
{
    (void)state;
    int64_t number;
    double real;
    const char *text;
    json_t *member;
    ipos_rational rational;
    json_t *body = json_pack("{s:i,s:s,s:f,s:[i,i],s:[i,i]}", "a", 5, "b", "x", "c", 1.5, "d", 24, 0, "e", 24000, 1001);
    assert_int_equal(ip_json_int(body, "a", 0, 4, &number), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_int(body, "a", 6, 9, &number), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_int(body, "a", 5, 5, &number), IPOS_OK);
    assert_int_equal(ip_json_int(body, "c", 0, 4, &number), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_int(body, "z", 0, 4, &number), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_real(body, "a", &real), IPOS_OK);
    assert_int_equal(ip_json_real(body, "b", &real), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_text(body, "a", &text), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_member(body, "d", JSON_OBJECT, &member), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_rational(json_object_get(body, "d"), &rational), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_rational(NULL, &rational), IPOS_ERR_FORMAT);
    assert_int_equal(ip_json_rational(json_object_get(body, "e"), &rational), IPOS_OK);
    assert_int_equal(rational.num, 24000);
    json_decref(body);
}

static void any_text_and_number_can_be_sent(void **state)
{
    (void)state;
    json_t *value = ip_json_from_text("caf\xe9");
    assert_string_equal(json_string_value(value), "caf?");
    json_decref(value);
    value = ip_json_from_text(NULL);
    assert_string_equal(json_string_value(value), "");
    json_decref(value);
    char *text = calloc(1, 100001);
    memset(text, 'x', 100000);
    value = ip_json_from_text(text);
    assert_int_equal(json_string_length(value), 8192);
    json_decref(value);
    /* A cut in the middle of a character. */
    memcpy(text + 8191, "\xc3\xa9", 2);
    value = ip_json_from_text(text);
    assert_int_equal(json_string_length(value), 8192);
    json_decref(value);
    free(text);
    value = ip_json_from_real(NAN);
    assert_true(json_real_value(value) == -1);
    json_decref(value);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static void broken_pipe_is_silent(void **state)
{
    (void)state;
    int ends[2];
    sigset_t pending;
    signal(SIGPIPE, on_signal);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(ip_pipe_write(ends[1], "x", 1), 1);
    close(ends[0]);
    assert_int_equal(ip_pipe_write(ends[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    assert_int_equal(signals, 0);
    raise(SIGPIPE); /* the host's own still come */
    assert_int_equal(signals, 1);
    close(ends[1]);
    signal(SIGPIPE, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written), cmocka_unit_test(refuses_other_streams), cmocka_unit_test(refuses_json_that_is_no_object),
        cmocka_unit_test(refuses_what_nests_too_deep), cmocka_unit_test(survives_random_damage), cmocka_unit_test(refuses_to_write_too_much),
        cmocka_unit_test(members_are_checked), cmocka_unit_test(any_text_and_number_can_be_sent), cmocka_unit_test(broken_pipe_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
