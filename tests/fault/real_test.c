/* The engine as it is shipped, with libtorch: what it says of itself; the same job in both modes gives the same bits. */
#include "fault_support.h"

#include <stdlib.h>
#include <unistd.h>

enum { REAL_WIDTH = 160, REAL_HEIGHT = 96, REAL_FRAMES = 8 };

static ip_engine *open_real(int mode)
{
    ip_engine *engine;
    const ip_engine_config config = {.mode = mode, .path = getenv(mode == IPOS_ENGINE_PROCESS ? "INTERPOS_ENGINE" : "INTERPOS_MODULE"),
        .threads = 1, .watchdog_seconds = 60};
    assert_non_null(config.path);
    assert_int_equal(ip_engine_new(&config, &engine), IPOS_OK);
    return engine;
}

/* A textured square moves two pixels a frame over a texture that stands still. */
static ipos_status fetch(void *user, size_t clip, int64_t number, ipos_frame **out)
{
    static const ipos_channel channels[] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    const ipos_box box = {0, 0, REAL_WIDTH, REAL_HEIGHT};
    (void)clip;
    if (number < 0 || number >= REAL_FRAMES)
        return ip_fail(IPOS_ERR_NOT_FOUND, "no frame %d", (int)number);
    IP_TRY(ip_frame_new(&box, &box, channels, 3, ip_engine_storage, user, out));
    ip_free((*out)->encoding);
    (*out)->encoding = ip_strdup("srgb");
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < REAL_HEIGHT; y++)
            for (int x = 0; x < REAL_WIDTH; x++) {
                int left = 20 + 2 * (int)number, inside = x >= left && x < left + 40 && y >= 20 && y < 70;
                int u = inside ? x - left : x, v = inside ? y + 50 : y;
                uint32_t mixed = (uint32_t)(u / 3) * 73856093u ^ (uint32_t)(v / 3) * 19349663u ^ (uint32_t)c * 83492791u;
                (*out)->channels[c].data[y * (*out)->channels[c].row_stride + x] = (uint8_t)(40 + (mixed >> 5) % 160);
            }
    return IPOS_OK;
}

typedef struct results {
    int count;
    char hashes[64][65];
} results;

static results *collected;

static ipos_status emit(void *user, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence)
{
    (void)user, (void)variant, (void)time, (void)confidence, (void)evidence;
    if (collected->count < 64)
        ip_frame_hash(picture, collected->hashes[collected->count++]);
    return IPOS_OK;
}

static void make_inbetweens(int mode, results *out)
{
    const ip_op_clip clip = {.name = "A001", .encoding = "srgb", .first = 0, .last = REAL_FRAMES - 1, .rate = {24, 1}};
    const ipos_rational times[] = {{5, 2}, {4, 1}};
    ip_engine *engine = open_real(mode);
    const ip_job job = {.operation = "inbetween", .clips = &clip, .clip_count = 1, .times = times, .time_count = 2, .device = "cpu",
        .user = engine, .fetch = fetch, .emit = emit};
    collected = out;
    ipos_status status = ip_engine_run(engine, &job);
    if (status != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    ip_engine_free(engine);
}

static void both_modes_agree(void **state)
{
    (void)state;
    static results process, module;
    make_inbetweens(IPOS_ENGINE_PROCESS, &process);
    make_inbetweens(IPOS_ENGINE_IN_PROCESS, &module);
    assert_true(process.count >= 4);
    assert_int_equal(process.count, module.count);
    for (int i = 0; i < process.count; i++)
        assert_string_equal(process.hashes[i], module.hashes[i]);
}

static void tell(int mode, bool measure)
{
    char *json;
    double start = ip_now();
    ip_engine *engine = open_real(mode);
    ipos_status status = ip_engine_info(engine, measure, &json);
    if (status != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    print_message("%s: %.2f s: %s\n", mode == IPOS_ENGINE_PROCESS ? "process" : "in this process", ip_now() - start, json);
    static const char *const members[] = {"\"engine\":\"", "\"libtorch\":\"", "\"device\":[\"cpu\"", "\"threads\":1", "\"cpu_capability\":\""};
    for (size_t i = 0; i < IP_COUNT(members); i++)
        assert_non_null(strstr(json, members[i]));
    assert_null(strstr(json, "\"libtorch\":\"\""));
    assert_int_equal(strstr(json, "\"conv_gflops\":{\"inference\":") != NULL, measure);
    ip_free(json);
    ip_engine_free(engine);
}

static void tells_what_it_is(void **state)
{
    (void)state;
    tell(IPOS_ENGINE_PROCESS, false);
    tell(IPOS_ENGINE_PROCESS, true);
    tell(IPOS_ENGINE_IN_PROCESS, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_what_it_is), cmocka_unit_test(both_modes_agree)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fflush(NULL);
    _exit(failed != 0); /* libtorch stays mapped; its destructors are not what is tested here */
}
