/* A parallel loop, and work beside the caller. Threads live as long as what they were begun for: no thread of ours is there when the host forks, exits or unloads us. */
#include "core.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

enum { MAX_THREADS = 64, STACK_BYTES = 2 << 20 };

typedef struct loop {
    atomic_int_fast64_t next;
    int64_t count, grain;
    ip_range_fn body;
    void *user;
} loop;

static void *work(void *user)
{
    loop *l = user;
    for (;;) {
        int64_t begin = atomic_fetch_add_explicit(&l->next, l->grain, memory_order_relaxed);
        if (begin >= l->count)
            return NULL;
        l->body(l->user, begin, begin + IP_MIN(l->grain, l->count - begin));
    }
}

/* A thread that takes none of the host's signals: those are for the host's threads. */
static bool start(pthread_t *id, void *(*body)(void *), void *user)
{
    pthread_attr_t attr;
    sigset_t all;
    if (pthread_attr_init(&attr) != 0)
        return false;
    sigfillset(&all);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    bool started = pthread_attr_setsigmask_np(&attr, &all) == 0 && pthread_create(id, &attr, body, user) == 0;
    pthread_attr_destroy(&attr);
    return started;
}

void ip_parallel(int threads, int64_t count, int64_t grain, ip_range_fn body, void *user)
{
    if (count <= 0)
        return;
    grain = IP_MAX(grain, 1);
    int64_t pieces = count / grain + (count % grain != 0);
    int wanted = (int)IP_MIN(pieces, IP_MIN(threads, MAX_THREADS));
    if (wanted <= 1) {
        body(user, 0, count);
        return;
    }
    /* The counter runs past count by at most one grain a thread. */
    grain = IP_MIN(grain, INT64_MAX / (4 * MAX_THREADS));
    loop l = {.count = count, .grain = grain, .body = body, .user = user};
    atomic_init(&l.next, 0);
    pthread_t ids[MAX_THREADS];
    int started = 0;
    while (started < wanted - 1 && start(&ids[started], work, &l))
        started++;
    work(&l); /* does everything when no thread could be had */
    for (int i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
}

struct ip_later {
    pthread_t id;
    void (*body)(void *user);
    void *user;
};

static void *do_later(void *user)
{
    ip_later *later = user;
    later->body(later->user);
    return NULL;
}

ip_later *ip_later_begin(void (*body)(void *user), void *user)
{
    ip_later *later = ip_alloc(sizeof *later);
    if (later) {
        *later = (ip_later){.body = body, .user = user};
        if (start(&later->id, do_later, later))
            return later;
        ip_free(later);
    }
    body(user);
    return NULL;
}

void ip_later_wait(ip_later *later)
{
    if (!later)
        return;
    pthread_join(later->id, NULL);
    ip_free(later);
}

/* Processors worth of time the container grants (cgroup v2), or the given number if it sets no limit. */
static int quota(int processors)
{
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (!file)
        return processors;
    long long granted, period;
    if (fscanf(file, "%lld %lld", &granted, &period) == 2 && granted > 0 && period > 0)
        processors = (int)IP_MIN((long long)processors, IP_MAX((granted + period - 1) / period, 1));
    fclose(file);
    return processors;
}

int ip_processors(void)
{
    int processors = 0;
    cpu_set_t *set = CPU_ALLOC(8192);
    if (set) {
        size_t bytes = CPU_ALLOC_SIZE(8192);
        if (sched_getaffinity(0, bytes, set) == 0)
            processors = CPU_COUNT_S(bytes, set);
        CPU_FREE(set);
    }
    if (processors < 1)
        processors = (int)IP_MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
    return quota(processors);
}
