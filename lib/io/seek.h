/* Where in a movie's time its pictures lie, so that a decoder can start near one instead of at the beginning. */
#ifndef IP_SEEK_H
#define IP_SEEK_H

#include "ffmpeg.h"

typedef struct ip_seek_entry {
    int64_t pts; /* in the stream's time base */
    bool key;
} ip_seek_entry;

typedef struct ip_seek_index {
    ip_seek_entry *entries; /* by time: number n is entry n */
    int64_t count;          /* 0: not usable, decode from the beginning */
    ipos_rational base;
    bool built;
} ip_seek_index;

/* Reads the packets' times once. Usable only where one packet is one picture for certain; else count stays 0, which is no
 * failure. */
void ip_seek_build(const ip_io_env *env, const char *path, const ip_probe *probe, ip_seek_index *index);
/* Seconds to seek to for a picture and its time in the time base; false where starting at the beginning is as good. */
bool ip_seek_find(const ip_seek_index *index, int64_t number, char seconds[40], int64_t *pts);
void ip_seek_free(ip_seek_index *index);

#endif
