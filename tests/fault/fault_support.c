#include "fault_support.h"

#include <dirent.h>
#include <interpos/operation.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

char last_log[4096];

static void keep_log(void *user, int level, const char *text)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    (void)user, (void)level;
    pthread_mutex_lock(&lock);
    snprintf(last_log, sizeof last_log, "%s", text);
    pthread_mutex_unlock(&lock);
}

ip_engine *open_engine(int mode, int watchdog_seconds)
{
    ip_engine *engine = NULL;
    const ip_engine_config config = {
        .mode = mode,
        .path = getenv(mode == IPOS_ENGINE_PROCESS ? "INTERPOS_TEST_ENGINE" : "INTERPOS_TEST_MODULE"),
        .threads = 1,
        .watchdog_seconds = watchdog_seconds,
        .log = keep_log,
    };
    assert_non_null(config.path);
    assert_int_equal(ip_engine_new(&config, &engine), IPOS_OK);
    return engine;
}

ipos_frame *make_frame(ip_engine *engine, int64_t number)
{
    static const ipos_channel channels[] = {{"R", IPOS_F16, 1, 1}, {"G", IPOS_U8, 1, 1}, {"Z", IPOS_F32, 1, 1}};
    const ipos_box data = {-3, 5, WIDTH, HEIGHT}, display = {0, 0, WIDTH, HEIGHT};
    ipos_frame *frame = NULL;
    if (ip_frame_new(&data, &display, channels, 3, engine ? ip_engine_storage : NULL, engine, &frame) != IPOS_OK)
        return NULL;
    for (size_t c = 0; c < 3; c++) {
        const ip_channel *channel = frame->channels + c;
        size_t bytes = (size_t)channel->width * ip_sample_bytes(channel->type);
        for (int y = 0; y < channel->height; y++)
            for (size_t i = 0; i < bytes; i++)
                channel->data[y * channel->row_stride + (ptrdiff_t)i] = (uint8_t)(number * 31 + y * 7 + (int64_t)i * (int64_t)(c + 3));
    }
    return frame;
}

void frame_hash(int64_t number, char hex[65])
{
    ipos_frame *frame = make_frame(NULL, number);
    assert_non_null(frame);
    assert_true(ip_frame_hash(frame, hex));
    ipos_frame_release(frame);
}

static ipos_status fetch(void *user, size_t clip, int64_t number, ipos_frame **out)
{
    test_host *host = user;
    (void)clip;
    if (host->reenter) {
        ip_job job = {.operation = "copy"};
        host->reentered = ip_engine_run(host->engine, &job);
    }
    if (host->fetch_fails)
        return ip_fail(host->fetch_fails, "frame %d is on a broken disk", (int)number);
    if (number < 0 || number >= FRAMES)
        return ip_fail(IPOS_ERR_NOT_FOUND, "no frame %d", (int)number);
    *out = make_frame(host->plain ? NULL : host->engine, number);
    return *out ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

static ipos_status emit(void *user, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence)
{
    test_host *host = user;
    (void)variant, (void)confidence;
    if (host->emit_fails)
        return ip_fail(host->emit_fails, "the disk is full");
    int64_t slot = time.num / time.den;
    if (slot >= 0 && slot < 64) {
        ip_frame_hash(picture, host->hashes[slot]);
        if (evidence)
            ip_frame_hash(evidence, host->evidence[slot]);
    }
    host->emits++;
    return IPOS_OK;
}

static ipos_status variant(void *user, const char *name, const char *title, int rank, double score, const char *details)
{
    test_host *host = user;
    host->variants += !strcmp(name, "copy") && *title && rank == 0 && score == -1 && !strcmp(details, "{\"method\":\"copy\"}");
    return IPOS_OK;
}

static ipos_status checkpoint_saved(void *user, const void *bytes, size_t size)
{
    test_host *host = user;
    if (size == sizeof host->checkpoint)
        memcpy(&host->checkpoint, bytes, size);
    host->checkpoints++;
    return IPOS_OK;
}

static ipos_status model_saved(void *user, const void *bytes, size_t size, const char *measured)
{
    test_host *host = user;
    if (size == sizeof host->model && !strcmp(measured, "{\"architecture\":\"count\"}"))
        memcpy(host->model, bytes, size);
    host->models++;
    return IPOS_OK;
}

static int32_t progress(void *user, double done, double remaining, const char *stage, const char *json)
{
    test_host *host = user;
    (void)remaining, (void)stage;
    if (done < host->last_done)
        host->progress_calls = -1000000;
    host->last_done = done;
    snprintf(host->progress_json, sizeof host->progress_json, "%s", json);
    return ++host->progress_calls == host->stop_after;
}

/* The settings of the fault operation, as its spec.c has them; the test's own library has no operations. */
extern const ip_op_spec ip_op_fault_spec;

ipos_status run_job(test_host *host, test_job what)
{
    ipos_rational times[64];
    int count = what.frames ? what.frames : FRAMES - 1;
    for (int i = 0; i < count; i++)
        times[i] = (ipos_rational){i + 1, 1};
    const int64_t cuts[] = {4, 8};
    const ip_op_clip clip = {.name = "A001", .encoding = "srgb", .first = 0, .last = FRAMES - 1, .rate = {24000, 1001}, .cuts = cuts,
        .cut_count = 2};
    bool fault = !strcmp(what.operation, "fault");
    ip_option_values *options = fault ? ip_options_new(ip_op_fault_spec.options, ip_op_fault_spec.option_count) : NULL;
    if (fault && !options)
        return IPOS_ERR_NO_MEMORY;
    if (fault) {
        char after[16], pause[16];
        snprintf(after, sizeof after, "%d", what.after);
        snprintf(pause, sizeof pause, "%d", what.pause);
        ipos_status status = ip_options_set(options, "how", what.how ? what.how : "nothing");
        if (status == IPOS_OK)
            status = ip_options_set(options, "after", after);
        if (status == IPOS_OK)
            status = ip_options_set(options, "pause", pause);
        if (status != IPOS_OK) {
            ip_options_free(options);
            return status;
        }
    }
    const ip_job job = {
        .operation = what.operation, .train = what.train, .specs = fault ? ip_op_fault_spec.options : NULL, .options = options,
        .clips = &clip, .clip_count = 1, .times = times, .time_count = (size_t)count,
        .checkpoint = host->checkpoint ? &host->checkpoint : NULL, .checkpoint_bytes = host->checkpoint ? sizeof host->checkpoint : 0,
        .device = "cpu", .steps = what.steps, .seed = UINT64_MAX - 3, .checkpoint_seconds = what.checkpoint_seconds, .user = host,
        .fetch = fetch, .emit = emit, .variant = variant, .checkpoint_saved = checkpoint_saved, .model_saved = model_saved,
        .progress = progress, .cancel = &host->cancel,
    };
    ipos_status status = ip_engine_run(host->engine, &job);
    ip_options_free(options);
    return status;
}

void expect_copies(const test_host *host, int count)
{
    assert_int_equal(host->emits, count);
    for (int i = 1; i <= count; i++) {
        char expected[65];
        frame_hash(i - 1, expected);
        assert_string_equal(host->hashes[i], expected);
    }
}

static int count_entries(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 3; /* ".", "..", the folder itself */
}

int count_files(void)
{
    return count_entries("/proc/self/fd");
}

int count_threads(void)
{
    return count_entries("/proc/self/task") + 1;
}

int find_engines(pid_t parent, pid_t *list, int room)
{
    int count = 0;
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) && count < room;) {
        char path[300], name[64] = "", state = 0;
        int pid = atoi(entry->d_name), ppid = 0;
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *file = pid > 0 ? fopen(path, "re") : NULL;
        if (!file)
            continue;
        if (fscanf(file, "%*d (%63[^)]) %c %d", name, &state, &ppid) == 3 && ppid == parent && !strcmp(name, "test-engine") && state != 'Z')
            list[count++] = pid;
        fclose(file);
    }
    closedir(folder);
    return count;
}

void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static bool is_running(pid_t pid)
{
    char path[64], state = 'Z'; /* one that nobody has waited for yet does no harm */
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    fclose(file);
    return state != 'Z' && state != 'X';
}

bool gone_within(pid_t pid, double seconds)
{
    for (double end = ip_now() + seconds; ip_now() < end; sleep_ms(10))
        if (!is_running(pid))
            return true;
    return false;
}
