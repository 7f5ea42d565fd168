/* What media.c (opening), media_read.c and media_json.c share. */
#ifndef IP_MEDIA_PARTS_H
#define IP_MEDIA_PARTS_H

#include "ffmpeg.h"
#include "seek.h"
#include "sequence.h"

/* Raw pictures a movie gave last: operations look a few frames back and forth, and going back costs a restart. */
enum { IP_RECENT = 12, IP_RECENT_BYTES = 192 << 20 };
typedef struct ip_recent {
    int64_t number; /* -1: none */
    uint8_t *bytes;
} ip_recent;

struct ip_media {
    ip_io_env env;
    char *ffmpeg_path;            /* env's, kept */
    ip_media_info info;
    char *path;                   /* absolute */
    bool single;                  /* one picture, not a sequence */
    /* pictures */
    ip_sequence sequence;
    const ip_image_format *format;
    ip_image_header header;       /* of the first picture, or of every movie frame */
    /* movies and stills decoded by ffmpeg */
    ip_probe probe;
    ip_raw raw;
    ip_video video;
    bool running;
    ip_seek_index seek;
    bool sought;                  /* the running decoder did not start at the beginning */
    ip_recent recent[IP_RECENT];  /* number n lies at n modulo the count that IP_RECENT_BYTES allows */
    int64_t run_end;              /* stills: last number the running decoder will give */
};

bool ip_timecode_of_attribute(const ip_image_header *header, ipos_timecode *out);

#endif
