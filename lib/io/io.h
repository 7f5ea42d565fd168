/* Image files, sequences, movies. Frames come out with every channel and attribute; nothing here knows projects. */
#ifndef IP_IO_H
#define IP_IO_H

#include "frame.h"
#include <interpos/frame.h>

/* Where frames' samples are allocated, and limits; copied from the context by the caller. */
typedef struct ip_io_env {
    ip_storage_fn make; /* NULL: plain memory */
    void *make_user;
    uint64_t memory_limit;   /* 0: 4 GiB */
    const char *ffmpeg_path; /* NULL: /usr/bin/ffmpeg */
    const ip_cancel *cancel; /* may be NULL */
} ip_io_env;

/* One image: from a path, or from memory (path NULL). part counts parts (EXR) or pages (TIFF). */
ipos_status ip_image_read(const ip_io_env *env, const char *path, const void *bytes, size_t size, int part, ipos_frame **out);
/* The parts or pages from the one numbered first on, in order; *count is 0 where there are none. */
ipos_status ip_image_read_parts(const ip_io_env *env, const char *path, const void *bytes, size_t size, int first, ipos_frame ***frames, size_t *count);
void ip_frames_free(ipos_frame **frames, size_t count);
/* path NULL: into *bytes (ip_free). */
ipos_status ip_image_write(
    ipos_frame *const *frames, size_t count, const ipos_write_config *config, const char *path, void **bytes, size_t *size);

/* A clip's footage: an image sequence, one image or a movie, opened without decoding. */
typedef struct ip_media ip_media;
typedef struct ip_media_info {
    bool movie;
    const char *format;       /* "exr", "png", "tiff", or the movie's container, e.g. "mov" */
    const char *codec;        /* movies: e.g. "prores"; else "" */
    int64_t first, last;      /* frame numbers; a movie's begin at 0 */
    int64_t count;            /* frames that exist; a movie's is exact once known, else an estimate (count_exact) */
    bool count_exact;
    const int64_t *missing;   /* sequences: holes between first and last */
    size_t missing_count;
    int32_t width, height;    /* of the first frame's data window */
    int32_t sample_type;      /* movies: IPOS_U8 or IPOS_U16; images: of the first channel */
    int32_t bits;             /* significant bits a sample (8, 10, 12, 16, 32) */
    ipos_rational rate;       /* 0/0 unknown */
    ipos_timecode timecode;
    bool has_timecode;
    const char *encoding;     /* what the file's own metadata says, "" if nothing */
    const char *pattern;      /* sequences: "/abs/name.%04d.exr"; else the path */
} ip_media_info;
ipos_status ip_media_open(const ip_io_env *env, const char *path, ip_media **out);
void ip_media_close(ip_media *media);
const ip_media_info *ip_media_info_of(const ip_media *media);
/* Path of a sequence's frame (ip_free); for a movie the movie itself. */
char *ip_media_frame_path(const ip_media *media, int64_t number);
/* Random access; a movie keeps its decoder running, so reading forwards is cheap and going back costs a restart. Frames made by
 * ffmpeg are R,G,B(,A) or Y, u8 up to 8 bits else u16 scaled to the full 16 bits, encoding set if the movie says. */
ipos_status ip_media_read(ip_media *media, int64_t number, ipos_frame **out);
/* The document of ipos_media_info (ip_free). */
ipos_status ip_media_json(ip_media *media, char **json);

/* The timecode frames later (or earlier), drop-frame numbers left out where start says so; wraps at midnight. */
ipos_timecode ip_timecode_after(const ipos_timecode *start, int64_t frames, ipos_rational rate);

/* Writes a movie from frames handed over in order; codec "ffv1" or "prores" by the extension (.mkv, .mov). Atomic. */
typedef struct ip_movie_writer ip_movie_writer;
ipos_status ip_movie_create(const ip_io_env *env, const char *path, ipos_rational rate, ip_movie_writer **out);
ipos_status ip_movie_add(ip_movie_writer *writer, const ipos_frame *frame);
ipos_status ip_movie_end(ip_movie_writer *writer, bool keep);

#endif
