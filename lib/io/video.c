/* A running ffmpeg that hands out raw frames. */
#include "ffmpeg.h"

ipos_status ip_video_start(const ip_io_env *env, const char *const *source, int input, const ip_raw *raw, const char *wanted,
    int64_t first, int64_t limit, ip_video *video) {
    ip_child_blank(&video->child);
    video->next = first;
    const char *argv[48] = {ip_ffmpeg_path(env), "-v", "error", "-nostdin", "-nostats", "-hide_banner", "-xerror", "-noautorotate",
        "-threads", "2", "-protocol_whitelist", "file,pipe"};
    size_t n = 12;
    for (size_t i = 0; source[i] && n < 36; i++)
        argv[n++] = source[i];
    char count[24];
    /* The scaler is told its size, so that a stream that changes its own cannot change the frames we cut the pipe into. */
    char *filter = ip_format("select='%s',scale=%d:%d:flags=bicubic+accurate_rnd+full_chroma_int+bitexact,format=%s",
        wanted, raw->width, raw->height, raw->pix_fmt);
    const char *const rest[] = {"-map", "0:v:0", "-vf", filter, "-vsync", "passthrough", "-f", "rawvideo"};
    for (size_t i = 0; i < IP_COUNT(rest); i++)
        argv[n++] = rest[i];
    if (limit > 0) {
        snprintf(count, sizeof count, "%lld", (long long)limit);
        argv[n++] = "-frames:v";
        argv[n++] = count;
    }
    argv[n++] = "pipe:1";
    ipos_status status = filter ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK && !video->buffer) {
        video->buffer = ip_alloc(raw->frame_bytes);
        status = video->buffer ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    }
    if (status == IPOS_OK)
        status = ip_child_start(argv, input, false, &video->child);
    ip_free(filter);
    return status;
}

/* Complaints of sound streams: a start on an open group of pictures, liberties that H.264 encoders take. */
static bool harmless(const char *said) {
    static const char *const known[] = {"co located POCs unavailable", "mmco: unref short failure", "number of reference frames",
        "non monotonically increasing dts"};
    while (*said) {
        const char *end = strstr(said, "; ");
        size_t n = end ? (size_t)(end - said) : strlen(said);
        bool found = n == 0;
        for (size_t i = 0; i < IP_COUNT(known) && !found; i++)
            found = memmem(said, n, known[i], strlen(known[i])) != NULL;
        if (!found)
            return false;
        said = end ? end + 2 : said + n;
    }
    return true;
}

ipos_status ip_video_next(
    const ip_io_env *env, ip_video *video, const ip_raw *raw, double timeout, const char *path, ipos_frame *frame) {
    size_t got = 0;
    ipos_status status = ip_child_read(&video->child, video->buffer, raw->frame_bytes, timeout, ip_io_cancel(env), &got);
    if (status != IPOS_OK) {
        ip_child_kill(&video->child);
        return ip_fail_in(status, "%s", path);
    }
    /* ffmpeg conceals what is broken and goes on, but complains before it writes the picture. It may be ahead of us. */
    ip_child_listen(&video->child);
    if (!harmless(video->child.said)) {
        ip_child_kill(&video->child);
        return ip_fail(IPOS_ERR_FORMAT, "%s: damaged at or after frame %lld: %s", path, (long long)video->next, video->child.said);
    }
    if (got == raw->frame_bytes) {
        if (frame)
            ip_raw_unpack(raw, video->buffer, frame);
        video->next++;
        return IPOS_OK;
    }
    int code = ip_child_wait(&video->child, 20, ip_io_cancel(env));
    if (code != 0 || got != 0 || !harmless(video->child.said))
        return ip_fail(IPOS_ERR_FORMAT, "%s: damaged at frame %lld: %s", path, (long long)video->next,
            video->child.said[0] ? video->child.said : "the decoder stopped");
    return ip_fail(IPOS_ERR_NOT_FOUND, "%s: ends before frame %lld", path, (long long)video->next);
}

void ip_video_stop(ip_video *video) {
    ip_child_kill(&video->child);
    ip_free(video->buffer);
    video->buffer = NULL;
}
