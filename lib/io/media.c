/* Opening footage: which of image, sequence and movie a path is, and what it holds. */
#include "media_parts.h"
#include <dirent.h>
#include <strings.h>
#include <sys/stat.h>

enum { COUNT_PACKETS_LIMIT = 512 << 20 }; /* bytes of a movie that are read through for an exact count */

static void take_timing(ip_media *media) {
    ip_media_info *info = &media->info;
    const ip_attribute *rate = ip_header_attribute(&media->header, "framesPerSecond");
    if (rate && rate->size == 8 && strcmp(rate->type, "rational") == 0) {
        int32_t num;
        uint32_t den;
        memcpy(&num, rate->bytes, 4);
        memcpy(&den, rate->bytes + 4, 4);
        if (num > 0 && den > 0)
            info->rate = ip_reduce((ipos_rational){num, den});
    }
    info->has_timecode = ip_timecode_of_attribute(&media->header, &info->timecode);
}

static void describe_pictures(ip_media *media, const char *format) {
    ip_media_info *info = &media->info;
    const ip_sequence *s = &media->sequence;
    info->format = format;
    info->codec = "";
    info->first = s->numbers[0];
    info->last = s->numbers[s->count - 1];
    info->count = (int64_t)s->count;
    info->count_exact = true;
    info->missing = s->missing;
    info->missing_count = s->missing_count;
    info->width = media->header.data_window.width;
    info->height = media->header.data_window.height;
    info->sample_type = media->header.channels[0].sample_type;
    info->bits = (int32_t)(8 * ip_sample_bytes(info->sample_type));
    info->encoding = media->header.encoding;
    info->pattern = s->pattern;
    take_timing(media);
}

/* What ffmpeg will hand out for DPX; it knows the depth, which the header's sample types do not tell. */
static ipos_status describe_dpx(ip_media *media, const char *first) {
    ip_input in;
    IP_TRY(ip_input_open(first, &in));
    ipos_status status = ip_still_describe(&media->env, media->format, &in, &media->probe, &media->raw);
    ip_input_close(&in);
    if (status == IPOS_OK)
        media->info.bits = media->probe.bits;
    return status;
}

static ipos_status open_pictures(ip_media *media) {
    char *first = ip_sequence_path(&media->sequence, media->sequence.numbers[0]);
    const char *name = NULL;
    ipos_status status = first ? ip_image_info(&media->env, first, 0, &name, &media->header) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        media->format = ip_format_of_name(name);
        describe_pictures(media, name);
        if (media->format == &ip_format_dpx)
            status = describe_dpx(media, first);
    }
    ip_free(first);
    return status;
}

static ipos_status open_movie(ip_media *media, uint64_t size) {
    ip_media_info *info = &media->info;
    IP_TRY(ip_ffprobe(&media->env, media->path, -1, NULL, size <= COUNT_PACKETS_LIMIT, &media->probe));
    IP_TRY(ip_raw_plan(&media->probe, media->path, &media->raw));
    IP_TRY(ip_raw_header(&media->raw, &media->probe, &media->header));
    info->movie = true;
    info->format = media->probe.container;
    info->codec = media->probe.codec;
    info->count = IP_MAX(media->probe.frames, 0);
    info->last = IP_MAX(info->count - 1, 0);
    info->width = media->probe.width;
    info->height = media->probe.height;
    info->sample_type = media->raw.bytes == 2 ? IPOS_U16 : IPOS_U8;
    info->bits = media->probe.bits;
    info->rate = media->probe.rate;
    info->timecode = media->probe.timecode;
    info->has_timecode = media->probe.has_timecode;
    info->encoding = media->header.encoding;
    info->pattern = media->path;
    return IPOS_OK;
}

static ipos_status open_file(ip_media *media) {
    ip_input in;
    IP_TRY(ip_input_open(media->path, &in));
    uint8_t head[64];
    int64_t n = ip_input_read(&in, 0, head, sizeof head);
    uint64_t size = in.size;
    const ip_image_format *format = n > 0 ? ip_format_of_bytes(head, (size_t)n) : NULL;
    ip_input_close(&in);
    if (n < 0)
        return IPOS_ERR_IO;
    if (n == 0)
        return ip_fail(IPOS_ERR_FORMAT, "%s: is empty", media->path);
    if (!format)
        return open_movie(media, size);
    media->single = true;
    IP_TRY(ip_sequence_of_file(media->path, &media->sequence));
    return open_pictures(media);
}

static bool is_movie_name(const char *name) {
    static const char *const extensions[] = {".mov", ".mp4", ".m4v", ".mxf", ".webm", ".mkv", ".avi", ".mpg"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < IP_COUNT(extensions); i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

/* The only movie of a folder that holds no numbered pictures. */
static ipos_status open_only_movie(ip_media *media) {
    DIR *dir = opendir(media->path);
    char *found = NULL;
    int count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || !is_movie_name(entry->d_name))
            continue;
        count++;
        if (!found)
            found = ip_path_join(media->path, entry->d_name);
    }
    if (dir)
        closedir(dir);
    ipos_status status;
    if (count == 1 && found) {
        ip_free(media->path);
        media->path = found;
        return open_file(media);
    }
    status = count > 1 ? ip_fail(IPOS_ERR_ARGUMENT, "%s: holds %d movies; name one", media->path, count)
                       : ip_fail(IPOS_ERR_NOT_FOUND, "%s: holds neither a numbered sequence of pictures nor a movie", media->path);
    ip_free(found);
    return status;
}

static ipos_status open_folder(ip_media *media) {
    ipos_status status = ip_sequence_open_folder(media->path, &media->sequence);
    if (status == IPOS_ERR_NOT_FOUND)
        return open_only_movie(media);
    return status == IPOS_OK ? open_pictures(media) : status;
}

static ipos_status open_any(ip_media *media) {
    struct stat st;
    if (stat(media->path, &st) == 0)
        return S_ISDIR(st.st_mode) ? open_folder(media) : open_file(media);
    if (!ip_sequence_is_pattern(media->path))
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: no such file, folder or sequence", media->path);
    IP_TRY(ip_sequence_open(media->path, &media->sequence));
    return open_pictures(media);
}

ipos_status ip_media_open(const ip_io_env *env, const char *path, ip_media **out) {
    *out = NULL;
    if (!path || !path[0])
        return ip_fail(IPOS_ERR_ARGUMENT, "no path given");
    ip_media *media = ip_calloc(1, sizeof *media);
    if (!media)
        return IPOS_ERR_NO_MEMORY;
    ip_child_blank(&media->video.child);
    for (size_t i = 0; i < IP_COUNT(media->recent); i++)
        media->recent[i].number = -1;
    if (env)
        media->env = *env;
    if (env && env->ffmpeg_path)
        media->env.ffmpeg_path = media->ffmpeg_path = ip_strdup(env->ffmpeg_path);
    media->path = ip_path_absolute(path);
    media->info.encoding = "";
    bool lost = !media->path || (env && env->ffmpeg_path && !media->ffmpeg_path);
    ipos_status status = lost ? IPOS_ERR_NO_MEMORY : open_any(media);
    if (status != IPOS_OK) {
        ip_media_close(media);
        return status;
    }
    *out = media;
    return IPOS_OK;
}

void ip_media_close(ip_media *media) {
    if (!media)
        return;
    ip_video_stop(&media->video);
    for (size_t i = 0; i < IP_COUNT(media->recent); i++)
        ip_free(media->recent[i].bytes);
    ip_seek_free(&media->seek);
    ip_sequence_free(&media->sequence);
    ip_header_free(&media->header);
    ip_free(media->ffmpeg_path);
    ip_free(media->path);
    ip_free(media);
}

const ip_media_info *ip_media_info_of(const ip_media *media) {
    return &media->info;
}

char *ip_media_frame_path(const ip_media *media, int64_t number) {
    return media->info.movie ? ip_strdup(media->path) : ip_sequence_path(&media->sequence, number);
}
