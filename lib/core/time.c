/* Clocks. */
#include "core.h"

#include <time.h>

double ip_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void ip_utc_text(char out[32])
{
    struct timespec now;
    struct tm t;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &t);
    size_t size = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &t); /* numbers alone: the same in every locale */
    snprintf(out + size, 32 - size, ".%03dZ", (int)(now.tv_nsec / 1000000));
}
