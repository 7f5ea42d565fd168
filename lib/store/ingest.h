/* One ingest: settings checked, frames hashed and looked at, the clip completed. */
#ifndef IP_INGEST_H
#define IP_INGEST_H

#include "catalogue.h"
#include "cuts.h"

/* A frame's findings on their way into the catalogue. */
typedef struct ip_ingest_item {
    int64_t number, size;
    char *path, *error; /* error: a worker's text */
    ip_stamp stamp;
    char hash[65];
    uint16_t thumb[IP_THUMB_SIZE];
    ipos_status status;
} ip_ingest_item;

typedef struct ip_ingest {
    ip_store *store;
    const ipos_clip_config *config;
    ip_io_env env; /* plain memory: these frames go nowhere */
    ip_media *media;
    const ip_media_info *info;
    ip_clip_row row;
    ip_progress progress;
    int64_t total, done, bytes;
    double committed; /* when the last batch went into the catalogue */
    ip_ingest_item *pending;
    size_t pending_count, pending_room;
} ip_ingest;

/* ingest_settings.c: fills row from config and media; refuses what is missing or malformed. */
ipos_status ip_ingest_settings(ip_ingest *ingest);
/* Whether the catalogue's clip was ingested with the same settings; IPOS_ERR_CONFLICT naming those that differ. */
ipos_status ip_ingest_compare(const ip_clip_row *old, const ip_clip_row *asked);

/* ingest_frames.c */
ipos_status ip_ingest_images(ip_ingest *ingest);
ipos_status ip_ingest_movie(ip_ingest *ingest);
/* ingest_check.c: a complete clip against the files as they are now. */
ipos_status ip_ingest_check(ip_ingest *ingest, const ip_clip_row *old);
/* The number after number among a sequence's frames; hole walks through info->missing. */
int64_t ip_ingest_next(const ip_media_info *info, int64_t number, size_t *hole);
/* Copies one file into the project, reads it back, compares. */
ipos_status ip_ingest_copy(ip_ingest *ingest, const char *from, const void *bytes, size_t size, const char *hash);

#endif
