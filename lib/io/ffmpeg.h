/* Pictures by way of ffmpeg: what a file holds (ffprobe), how its pixels come out, and a running decoder. */
#ifndef IP_FFMPEG_H
#define IP_FFMPEG_H

#include "child.h"
#include "format.h"

/* A stream of pictures as ffprobe describes it. */
typedef struct ip_probe {
    char container[64], codec[64], pix_fmt[32];
    int32_t width, height;
    int32_t bits;      /* significant bits a sample */
    int32_t components;
    bool rgb, alpha, palette;
    ipos_rational rate; /* 0/0: unknown */
    ipos_timecode timecode;
    bool has_timecode;
    char encoding[32];  /* "" */
    double pixel_aspect; /* 0: unknown or 1 */
    int64_t frames;     /* packets counted, else the container's word, else from the duration; -1: unknown */
} ip_probe;

/* input: a descriptor that ffprobe reads instead of path (path is then for error texts); -1: path. */
ipos_status ip_ffprobe(const ip_io_env *env, const char *path, int input, const char *demuxer, bool count_packets, ip_probe *out);

/* How raw frames are asked for and taken apart. */
typedef struct ip_raw {
    const char *pix_fmt; /* ffmpeg's name of what comes through the pipe */
    char made[16];
    int channels;        /* 1, 2, 3, 4: Y, YA, RGB, RGBA */
    int bytes;           /* a sample, 1 or 2 */
    int replicate;       /* bits of the samples that come, to be widened to 16 here; 0: they fill their bytes */
    bool planar;         /* planes G, B, R, A as ffmpeg orders them */
    int32_t width, height;
    size_t frame_bytes;
} ip_raw;
ipos_status ip_raw_plan(const ip_probe *probe, const char *path, ip_raw *out);
ipos_status ip_raw_header(const ip_raw *raw, const ip_probe *probe, ip_image_header *header);
void ip_raw_unpack(const ip_raw *raw, const uint8_t *bytes, ipos_frame *frame);

/* A decoder running from one picture on. */
typedef struct ip_video {
    ip_child child; /* pid 0: not running */
    int64_t next;   /* number of the picture that comes next */
    uint8_t *buffer;
} ip_video;
/* source: arguments up to and including "-i" and the input, NULL-terminated. wanted: the select filter's condition for pictures
 * to be given, e.g. "gte(n,5)". limit: 0, or how many to decode. The first picture that comes counts as number first. */
ipos_status ip_video_start(const ip_io_env *env, const char *const *source, int input, const ip_raw *raw, const char *wanted,
    int64_t first, int64_t limit, ip_video *video);
/* IPOS_ERR_NOT_FOUND at the end of what there is; then ip_video_ended says how it ended. frame NULL: the picture is dropped. */
ipos_status ip_video_next(
    const ip_io_env *env, ip_video *video, const ip_raw *raw, double timeout, const char *path, ipos_frame *frame);
void ip_video_stop(ip_video *video);

/* "file:" and the path; for numbered pictures the pattern, '%' of the folder doubled. NULL: no memory. */
char *ip_ffmpeg_input(const char *path);
const char *ip_ffmpeg_path(const ip_io_env *env);
char *ip_ffprobe_path(const ip_io_env *env); /* ip_free; NULL: error text set */
/* Runs argv and gathers what it prints, limit bytes at most. */
ipos_status ip_ffmpeg_output(
    const ip_io_env *env, const char *const *argv, int input, const char *path, size_t limit, ip_buffer *out);

/* jpeg.c: header is grey or RGB, 8 bits. */
ipos_status ip_jpeg_decode(const ip_io_env *env, const ip_input *in, const ip_image_header *header, ipos_frame **out);

/* still.c */
extern const ip_image_format ip_format_jpeg;
extern const ip_image_format ip_format_dpx;
const char *ip_still_demuxer(const ip_image_format *format);
/* From the picture's own header. */
bool ip_still_size(const ip_image_format *format, const ip_input *in, int32_t *width, int32_t *height);
ipos_status ip_still_describe(
    const ip_io_env *env, const ip_image_format *format, const ip_input *in, ip_probe *probe, ip_raw *raw); /* in is a file */

#endif
