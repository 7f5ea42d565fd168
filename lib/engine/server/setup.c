#include "setup.h"

#include "backend.h"
#include <jansson.h>

static void print(void *user, int32_t level, const char *text)
{
    (void)user, (void)level;
    fprintf(stderr, "%s\n", text); /* the client reads it */
}

static char *describe(int own_process)
{
    const ip_backend_v1 *backend = ip_backend();
    if (!backend)
        return NULL;
    if (own_process)
        backend->set_log(print, NULL);
    json_t *devices = json_pack("[s]", "cpu");
    for (int32_t i = 0; i < backend->device_count(); i++) {
        char name[200];
        if (backend->device_name(i, name, sizeof name) != IPOS_OK)
            continue;
        json_array_append_new(devices, json_string(name));
    }
    json_t *about = json_pack("{s:s,s:o,s:s}", "libtorch", backend->library_version(), "devices", devices, "capability",
        backend->capability());
    char *text = about ? json_dumps(about, JSON_COMPACT) : NULL;
    json_decref(about);
    return text;
}

static ipos_status prepare(int threads, uint64_t memory_limit, int own_process)
{
    const ip_backend_v1 *backend = ip_backend();
    const uint64_t kept = (uint64_t)2 << 30;
    if (!backend)
        return IPOS_ERR_ENGINE;
    if (own_process)
        IP_TRY(backend->use_cache(memory_limit ? IP_MIN(memory_limit / 2, kept) : kept, memory_limit));
    return backend->set_threads(threads);
}

static ipos_status measure(double *inference, double *training)
{
    const ip_backend_v1 *backend = ip_backend();
    return backend ? backend->measure(IP_DEVICE_CPU, 1.0, inference, training) : IPOS_ERR_ENGINE;
}

static void idle(void)
{
    const ip_backend_v1 *backend = ip_backend();
    if (backend)
        backend->trim();
}

const ip_server_backend *ip_engine_backend(void)
{
    static const ip_server_backend table = {describe, prepare, measure, idle};
    return &table;
}
