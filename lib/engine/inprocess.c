/* The engine as a module in the host's process, on a thread of ours. */
#include "connection.h"
#include "server.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

struct ip_engine_thread {
    atomic_int refs; /* the handle's and the thread's own */
    pthread_t thread;
    ip_engine_entry entry;
    ip_server_config config;
};

static void release(ip_engine_thread *thread)
{
    if (atomic_fetch_sub(&thread->refs, 1) == 1)
        ip_free(thread);
}

/* A second libtorch ends the process while it loads, so the look comes first. */
static int find_torch(struct dl_phdr_info *info, size_t size, void *user)
{
    const char **found = user, *name = info->dlpi_name ? strrchr(info->dlpi_name, '/') : NULL;
    (void)size;
    name = name ? name + 1 : info->dlpi_name;
    if (!name || (strncmp(name, "libtorch", 8) != 0 && strncmp(name, "libc10", 6) != 0))
        return 0;
    *found = info->dlpi_name;
    return 1;
}

static ipos_status load(const char *path, ip_engine_entry *entry)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    const char *other = NULL;
    ipos_status status = IPOS_OK;
    pthread_mutex_lock(&one_at_a_time);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (!module && dl_iterate_phdr(find_torch, &other) && other)
        status = ip_fail(IPOS_ERR_CONFLICT, "%s: this process already has a libtorch (%s), a second one would end it; "
            "use IPOS_ENGINE_PROCESS", path, other);
    if (!module && status == IPOS_OK)
        module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!module && status == IPOS_OK)
        status = ip_fail(IPOS_ERR_ENGINE, "%s: cannot be loaded: %s", path, dlerror());
    pthread_mutex_unlock(&one_at_a_time);
    if (status != IPOS_OK)
        return status;
    void *symbol = dlsym(module, "interpos_engine_v1");
    if (!symbol)
        return ip_fail(IPOS_ERR_ENGINE, "%s: is not an engine of this release: %s", path, dlerror());
    memcpy(entry, &symbol, sizeof *entry);
    return IPOS_OK;
}

static void *serve(void *user)
{
    ip_engine_thread *thread = user;
    thread->entry(&thread->config);
    close(thread->config.in);
    close(thread->config.out);
    close(thread->config.client_pool);
    close(thread->config.engine_pool);
    release(thread);
    return NULL;
}

static int start(ip_engine_thread *thread)
{
    /* Signals sent to the process are for the host's threads. Those a thread raises by itself stay as the host has them. */
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    pthread_attr_t attributes;
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < IP_COUNT(own); i++)
        sigdelset(&blocked, own[i]);
    int error = pthread_attr_init(&attributes);
    if (error)
        return error;
    error = pthread_attr_setsigmask_np(&attributes, &blocked);
    if (!error)
        error = pthread_attr_setstacksize(&attributes, 8 << 20);
    if (!error)
        error = pthread_create(&thread->thread, &attributes, serve, thread);
    pthread_attr_destroy(&attributes);
    return error;
}

ipos_status ip_engine_thread_start(const char *path, int threads, const ip_ends *ends, ip_engine_thread **out)
{
    ip_engine_entry entry = NULL;
    *out = NULL;
    IP_TRY(load(path, &entry));
    ip_engine_thread *thread = ip_calloc(1, sizeof *thread);
    if (!thread)
        return IPOS_ERR_NO_MEMORY;
    atomic_init(&thread->refs, 2);
    thread->entry = entry;
    thread->config = (ip_server_config){ends->in, ends->out, ends->client_pool, ends->engine_pool, threads, 0};
    int error = start(thread);
    if (error) {
        ip_free(thread);
        return ip_fail(IPOS_ERR_ENGINE, "engine: no thread for it: %s", strerror(error));
    }
    *out = thread;
    return IPOS_OK;
}

bool ip_engine_thread_end(ip_engine_thread *thread, double patience)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)patience + 1;
    bool ended = pthread_clockjoin_np(thread->thread, NULL, CLOCK_MONOTONIC, &until) == 0;
    if (!ended)
        pthread_detach(thread->thread);
    release(thread);
    return ended;
}
