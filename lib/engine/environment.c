#include "process.h"

#include <unistd.h>

/* What is carried over from the host, by prefix. Everything else stays out: preloaded libraries, another program's OpenMP settings. */
static const char *const kept[] = {"LD_LIBRARY_PATH=", "HOME=", "USER=", "TMPDIR=", "TZ=", "CUDA_", "NVIDIA_", "OPENBLAS_CORETYPE=",
    "ATEN_CPU_CAPABILITY=", "ONEDNN_", "DNNL_", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "INTERPOS_"};

static bool is_kept(const char *entry)
{
    for (size_t i = 0; i < IP_COUNT(kept); i++)
        if (strncmp(entry, kept[i], strlen(kept[i])) == 0)
            return true;
    return false;
}

void ip_environment_free(char **list)
{
    for (char **entry = list; entry && *entry; entry++)
        ip_free(*entry);
    ip_free(list);
}

char **ip_environment_new(int threads)
{
    /* Passive: libgomp's spinning threads cost more than they save on a busy machine. The allocator keeps freed memory, because fresh
     * pages are what convolutions wait for. OpenBLAS, which does next to nothing here, waits by yielding in a loop: a thread more of it took
     * an eighth of a training's processor time. */
    const char *const fixed[] = {"OMP_WAIT_POLICY=passive", "OPENBLAS_NUM_THREADS=1", "LC_ALL=C", "MALLOC_TRIM_THRESHOLD_=1073741824",
        "MALLOC_MMAP_THRESHOLD_=1073741824", "MALLOC_TOP_PAD_=16777216"};
    static const char *const counts[] = {"OMP_NUM_THREADS", "MKL_NUM_THREADS"};
    size_t count = 0, room = IP_COUNT(fixed) + IP_COUNT(counts) + 1;
    for (char **entry = environ; entry && *entry; entry++)
        room += is_kept(*entry);
    char **list = ip_calloc(room, sizeof *list);
    bool failed = !list;
    for (char **entry = environ; !failed && entry && *entry && count < room - IP_COUNT(fixed) - IP_COUNT(counts) - 1; entry++)
        if (is_kept(*entry))
            failed = !(list[count++] = ip_strdup(*entry));
    for (size_t i = 0; !failed && i < IP_COUNT(fixed); i++)
        failed = !(list[count++] = ip_strdup(fixed[i]));
    for (size_t i = 0; !failed && i < IP_COUNT(counts); i++)
        failed = !(list[count++] = ip_format("%s=%d", counts[i], threads));
    if (!failed)
        return list;
    ip_environment_free(list);
    return NULL;
}
