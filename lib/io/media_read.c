/* Frames of opened footage in any order. */
#include "media_parts.h"

static void stop(ip_media *media) {
    ip_video_stop(&media->video);
    media->running = false;
}

static double patience(int64_t skip) {
    return 60 + 0.1 * (double)skip; /* seconds without a byte; dropped pictures give none */
}

static ipos_status start_movie(ip_media *media, const ip_raw *raw, int64_t skip) {
    char *input = ip_ffmpeg_input(media->path), wanted[48];
    const char *const source[] = {"-i", input, NULL};
    stop(media);
    snprintf(wanted, sizeof wanted, "gte(n,%lld)", (long long)skip);
    ipos_status status = input ? ip_video_start(&media->env, source, -1, raw, wanted, skip, 0, &media->video) : IPOS_ERR_NO_MEMORY;
    media->running = status == IPOS_OK;
    media->sought = false;
    ip_free(input);
    return status;
}

/* Starts at the key picture before number, and drops by time what lies between: wherever the container's seek lands, as long as
 * it is not too late, the first picture given is the right one. */
static ipos_status start_near(ip_media *media, int64_t number) {
    enum { NEAR = 48 };
    char seconds[40], wanted[48];
    int64_t pts;
    if (number > NEAR)
        ip_seek_build(&media->env, media->path, &media->probe, &media->seek);
    if (number <= NEAR || !ip_seek_find(&media->seek, number, seconds, &pts))
        return start_movie(media, &media->raw, number);
    char *input = ip_ffmpeg_input(media->path);
    const char *const source[] = {"-copyts", "-seek_timestamp", "1", "-noaccurate_seek", "-ss", seconds, "-i", input, NULL};
    stop(media);
    snprintf(wanted, sizeof wanted, "gte(pts,%lld)", (long long)pts);
    ipos_status status =
        input ? ip_video_start(&media->env, source, -1, &media->raw, wanted, number, 0, &media->video) : IPOS_ERR_NO_MEMORY;
    media->running = media->sought = status == IPOS_OK;
    ip_free(input);
    return status;
}

static void take_end(ip_media *media, int64_t total) {
    media->info.count = total;
    media->info.last = IP_MAX(total - 1, 0);
    media->info.count_exact = true;
}

/* Counts by decoding into thumbnails, which cost next to nothing to convert and to pipe. */
static ipos_status count_movie(ip_media *media) {
    const ip_raw tiny = {.pix_fmt = "gray", .channels = 1, .bytes = 1, .width = 16, .height = 16, .frame_bytes = 256};
    ipos_status status = start_movie(media, &tiny, 0);
    while (status == IPOS_OK)
        status = ip_video_next(&media->env, &media->video, &tiny, patience(0), media->path, NULL);
    if (status == IPOS_ERR_NOT_FOUND)
        take_end(media, media->video.next);
    stop(media);
    return status == IPOS_ERR_NOT_FOUND ? IPOS_OK : status;
}

static ipos_status past_end(ip_media *media, int64_t number) {
    return ip_fail(IPOS_ERR_NOT_FOUND, "%s: frame %lld, expected 0 to %lld", media->path, (long long)number,
        (long long)media->info.count - 1);
}

static ip_recent *recent_slot(ip_media *media, int64_t number) {
    size_t fits = IP_RECENT_BYTES / media->raw.frame_bytes;
    return fits ? &media->recent[(size_t)number % IP_MIN(fits, (size_t)IP_RECENT)] : NULL;
}

/* Keeps what the decoder gave last; without memory for it, it is simply not kept. */
static void keep_recent(ip_media *media) {
    int64_t number = media->video.next - 1;
    ip_recent *slot = recent_slot(media, number);
    if (!slot)
        return;
    slot->number = -1;
    if (!slot->bytes)
        slot->bytes = ip_alloc(media->raw.frame_bytes);
    if (!slot->bytes)
        return;
    memcpy(slot->bytes, media->video.buffer, media->raw.frame_bytes);
    slot->number = number;
}

static ipos_status seek_movie(ip_media *media, int64_t number) {
    int64_t ahead = number - media->video.next;
    /* Dropping pictures that come through the pipe costs about three times what ffmpeg needs to drop them itself. */
    if (!media->running || ahead < 0 || (ahead > 16 && ahead * 3 > number))
        return start_near(media, number);
    for (; ahead > 0; ahead--) {
        ipos_status status = ip_video_next(&media->env, &media->video, &media->raw, patience(0), media->path, NULL);
        if (status != IPOS_OK)
            return status;
        keep_recent(media);
    }
    return IPOS_OK;
}

static ipos_status stamp_movie(const ip_media *media, int64_t number, ipos_frame *frame) {
    const ip_media_info *info = &media->info;
    if (info->rate.num > 0 && info->rate.den > 0 && info->rate.num <= INT32_MAX && info->rate.den <= INT32_MAX)
        IP_TRY(ipos_frame_set_rate(frame, &info->rate));
    if (!info->has_timecode)
        return IPOS_OK;
    ipos_timecode timecode = ip_timecode_after(&info->timecode, number, info->rate);
    return ipos_frame_set_timecode(frame, &timecode);
}

static ipos_status read_movie(ip_media *media, int64_t number, ipos_frame *frame) {
    if (number < 0 || (media->info.count_exact && number >= media->info.count))
        return past_end(media, number);
    const ip_recent *recent = recent_slot(media, number);
    if (recent && recent->number == number) {
        ip_raw_unpack(&media->raw, recent->bytes, frame);
        return stamp_movie(media, number, frame);
    }
    ipos_status status = seek_movie(media, number);
    if (status == IPOS_OK)
        status = ip_video_next(&media->env, &media->video, &media->raw, patience(number), media->path, frame);
    if (status == IPOS_OK) {
        keep_recent(media);
        return stamp_movie(media, number, frame);
    }
    media->running = false;
    if (media->sought && status != IPOS_ERR_CANCELLED) { /* a stream that does not take to being entered there */
        media->seek.count = 0;
        return read_movie(media, number, frame);
    }
    if (status != IPOS_ERR_NOT_FOUND)
        return status;
    /* Where the decoder had been told to drop everything before number, its end says only that there are not so many. */
    bool seen = media->video.next < number || number == 0;
    if (seen)
        take_end(media, media->video.next);
    else
        IP_TRY(count_movie(media));
    return past_end(media, number);
}

/* True if the picture has the size that the running decoder gives; others are decoded by themselves. */
static bool same_size(const ip_media *media, int64_t number) {
    char *path = ip_sequence_path(&media->sequence, number);
    int32_t width = 0, height = 0;
    ip_input in;
    if (path && ip_input_open(path, &in) == IPOS_OK) {
        if (!ip_still_size(media->format, &in, &width, &height))
            width = 0;
        ip_input_close(&in);
    }
    ip_free(path);
    return width == media->raw.width && height == media->raw.height;
}

static ipos_status start_stills(ip_media *media, int64_t number) {
    const ip_sequence *s = &media->sequence;
    char *input = ip_ffmpeg_input(s->pattern), from[24];
    snprintf(from, sizeof from, "%lld", (long long)number);
    const char *const source[] = {
        "-f", "image2", "-pattern_type", "sequence", "-start_number", from, "-start_number_range", "1", "-i", input, NULL};
    stop(media);
    media->run_end = ip_sequence_run_end(s, number);
    ipos_status status = IPOS_ERR_NO_MEMORY;
    if (input)
        status = ip_video_start(&media->env, source, -1, &media->raw, "1", number, media->run_end - number + 1, &media->video);
    media->running = status == IPOS_OK;
    ip_free(input);
    return status;
}

static ipos_status read_alone(ip_media *media, int64_t number, ipos_frame **out) {
    char *path = ip_sequence_path(&media->sequence, number);
    ipos_status status = path ? ip_image_read(&media->env, path, NULL, 0, 0, out) : IPOS_ERR_NO_MEMORY;
    ip_free(path);
    return status;
}

/* A still that is next in line comes from one decoder for the whole run; a single one is not worth starting a run for. */
static ipos_status read_still(ip_media *media, int64_t number, ipos_frame **out) {
    bool in_line = media->running && number == media->video.next && number <= media->run_end;
    bool run_ahead = ip_sequence_run_end(&media->sequence, number) > number;
    if ((!in_line && !run_ahead) || !same_size(media, number)) {
        stop(media);
        return read_alone(media, number, out);
    }
    if (!in_line)
        IP_TRY(start_stills(media, number));
    ipos_frame *frame = NULL;
    IP_TRY(ip_header_frame(&media->env, &media->header, media->path, &frame));
    char *path = ip_sequence_path(&media->sequence, number);
    ipos_status status =
        path ? ip_video_next(&media->env, &media->video, &media->raw, patience(0), path, frame) : IPOS_ERR_NO_MEMORY;
    ip_free(path);
    if (status == IPOS_OK) {
        *out = frame;
        return IPOS_OK;
    }
    ipos_frame_release(frame);
    media->running = false;
    /* A decoder reads ahead, so what it stumbled over may be a later picture: this one is asked for by itself. */
    return status == IPOS_ERR_CANCELLED ? status : read_alone(media, number, out);
}

ipos_status ip_media_read(ip_media *media, int64_t number, ipos_frame **out) {
    *out = NULL;
    if (media->info.movie) {
        ipos_frame *frame = NULL;
        IP_TRY(ip_header_frame(&media->env, &media->header, media->path, &frame));
        ipos_status status = read_movie(media, number, frame);
        if (status != IPOS_OK) {
            ipos_frame_release(frame);
            return status;
        }
        *out = frame;
        return IPOS_OK;
    }
    if (!ip_sequence_has(&media->sequence, number))
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: there is no frame %lld", media->info.pattern, (long long)number);
    if (media->format == &ip_format_dpx && !media->single)
        return read_still(media, number, out);
    return read_alone(media, number, out);
}
