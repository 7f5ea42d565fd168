/* What loading the library and a first call cost a host. cost LIBRARY */
#include <dlfcn.h>
#include <interpos/interpos.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static double resident_mb(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;

    if (!file || fscanf(file, "%ld %ld", &size, &resident) != 2)
        resident = -1;
    if (file)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

int main(int argc, char **argv)
{
    ipos_context *context = NULL;
    char *json = NULL;

    if (argc != 2)
        return 2;
    const double rss = resident_mb(), begin = now();
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    ipos_status (*create)(const ipos_context_config *, ipos_context **);
    ipos_status (*operations)(char **);
    *(void **)&create = dlsym(library, "ipos_context_create");
    *(void **)&operations = dlsym(library, "ipos_operations");
    const double loaded = now();
    if (!create || !operations || create(NULL, &context) != IPOS_OK || operations(&json) != IPOS_OK || !strstr(json, "inbetween"))
        return 1;
    const double answered = now(), grown = resident_mb() - rss;
    printf("load %.1f ms, first call %.1f ms, resident +%.2f MB\n", loaded - begin, answered - loaded, grown);
    return !(answered - begin < 50 && grown > 0 && grown < 5);
}
