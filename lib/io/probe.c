/* ffprobe's JSON into ip_probe. */
#include "ffmpeg.h"
#include <jansson.h>

const char *ip_ffmpeg_path(const ip_io_env *env) {
    return env && env->ffmpeg_path && env->ffmpeg_path[0] ? env->ffmpeg_path : "/usr/bin/ffmpeg";
}

/* ffprobe lies beside ffmpeg and carries its prefix and suffix: ffmpeg-5 -> ffprobe-5. */
char *ip_ffprobe_path(const ip_io_env *env) {
    const char *ffmpeg = ip_ffmpeg_path(env), *slash = strrchr(ffmpeg, '/'), *name = slash ? strstr(slash, "ffmpeg") : NULL;
    if (!name) {
        ip_fail(IPOS_ERR_ARGUMENT, "ffmpeg path \"%s\": expected an absolute path of a program called ffmpeg", ffmpeg);
        return NULL;
    }
    return ip_format("%.*sffprobe%s", (int)(name - ffmpeg), ffmpeg, name + 6);
}

char *ip_ffmpeg_input(const char *path) {
    char *absolute = ip_path_absolute(path);
    char *input = absolute ? ip_format("file:%s", absolute) : NULL;
    ip_free(absolute);
    return input;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    int64_t number = -1;
    if (json_is_integer(value))
        return json_integer_value(value);
    if (json_is_string(value) && ip_parse_int(json_string_value(value), &number))
        return number;
    return -1;
}

static ipos_rational rate_of(const json_t *stream) {
    ipos_rational rate = {0, 0}, average = {0, 0};
    bool real = ip_parse_rational(text_of(stream, "r_frame_rate"), &rate) && rate.num > 0 && rate.den > 0;
    bool mean = ip_parse_rational(text_of(stream, "avg_frame_rate"), &average) && average.num > 0 && average.den > 0;
    if (!real && !mean)
        return (ipos_rational){0, 0};
    if (real && mean) { /* r_frame_rate is the tick of uneven streams: then only the average means anything */
        double ratio = (double)rate.num * (double)average.den / ((double)rate.den * (double)average.num);
        return ratio > 0.99 && ratio < 1.01 ? rate : average;
    }
    return real ? rate : average;
}

static bool parse_timecode(const char *text, ipos_timecode *out) {
    int h, m, s, f;
    char separator, rest;
    if (sscanf(text, "%2d:%2d:%2d%c%2d%c", &h, &m, &s, &separator, &f, &rest) != 5 || !strchr(":;.", separator) || h < 0 ||
        h > 23 || m < 0 || m > 59 || s < 0 || s > 59 || f < 0)
        return false;
    *out = (ipos_timecode){h, m, s, f, separator != ':', 0};
    return true;
}

static const char *encoding_of(const json_t *stream) {
    const char *transfer = text_of(stream, "color_transfer"), *primaries = text_of(stream, "color_primaries");
    if (primaries[0] && !ip_in_list("bt709,unknown,smpte170m,bt470bg", primaries))
        return "";
    if (ip_in_list("bt709,smpte170m", transfer))
        return "rec709";
    if (strcmp(transfer, "iec61966-2-1") == 0)
        return "srgb";
    if (strcmp(transfer, "linear") == 0)
        return "linear";
    return strcmp(transfer, "bt470m") == 0 ? "gamma2.2" : "";
}

static ipos_status take_pixel_format(const json_t *root, const char *path, ip_probe *out) {
    const json_t *formats = json_object_get(root, "pixel_formats");
    for (size_t i = 0; i < json_array_size(formats); i++) {
        const json_t *format = json_array_get(formats, i), *flags = json_object_get(format, "flags");
        if (strcmp(text_of(format, "name"), out->pix_fmt) != 0)
            continue;
        out->components = (int32_t)number_of(format, "nb_components");
        out->rgb = number_of(flags, "rgb") == 1;
        out->alpha = number_of(flags, "alpha") == 1;
        out->palette = number_of(flags, "palette") == 1;
        const json_t *components = json_object_get(format, "components");
        for (size_t c = 0; c < json_array_size(components); c++)
            out->bits = (int32_t)IP_MAX((int64_t)out->bits, number_of(json_array_get(components, c), "bit_depth"));
        return IPOS_OK;
    }
    return ip_fail(IPOS_ERR_FORMAT, "%s: the pictures are of unknown kind \"%s\"", path, out->pix_fmt);
}

static void take_count(const json_t *stream, const json_t *format, ip_probe *out) {
    double seconds = 0;
    out->frames = number_of(stream, "nb_read_packets");
    if (out->frames < 0)
        out->frames = number_of(stream, "nb_frames");
    const char *duration = text_of(stream, "duration")[0] ? text_of(stream, "duration") : text_of(format, "duration");
    if (out->frames < 0 && out->rate.den > 0 && ip_parse_real(duration, &seconds) && seconds > 0 && seconds < 1e7)
        out->frames = (int64_t)(seconds * (double)out->rate.num / (double)out->rate.den + 0.5);
}

static ipos_status parse(const json_t *root, const char *path, ip_probe *out) {
    const json_t *stream = json_array_get(json_object_get(root, "streams"), 0), *format = json_object_get(root, "format");
    if (!stream || strcmp(text_of(stream, "codec_type"), "video") != 0)
        return ip_fail(IPOS_ERR_FORMAT, "%s: holds no pictures", path);
    snprintf(out->container, sizeof out->container, "%s", text_of(format, "format_name"));
    out->container[strcspn(out->container, ",")] = 0;
    snprintf(out->codec, sizeof out->codec, "%s", text_of(stream, "codec_name"));
    snprintf(out->pix_fmt, sizeof out->pix_fmt, "%s", text_of(stream, "pix_fmt"));
    int64_t width = number_of(stream, "width"), height = number_of(stream, "height");
    if (width <= 0 || height <= 0 || width > 65536 || height > 65536 || !out->pix_fmt[0])
        return ip_fail(
            IPOS_ERR_FORMAT, "%s: pictures of %lld x %lld \"%s\"", path, (long long)width, (long long)height, out->pix_fmt);
    out->width = (int32_t)width;
    out->height = (int32_t)height;
    out->rate = rate_of(stream);
    const char *timecode = text_of(json_object_get(stream, "tags"), "timecode");
    if (!timecode[0])
        timecode = text_of(json_object_get(format, "tags"), "timecode");
    out->has_timecode = timecode[0] && parse_timecode(timecode, &out->timecode);
    snprintf(out->encoding, sizeof out->encoding, "%s", encoding_of(stream));
    ipos_rational aspect = {0, 0};
    char *ratio = ip_strdup(text_of(stream, "sample_aspect_ratio"));
    char *colon = ratio ? strchr(ratio, ':') : NULL;
    if (colon) {
        *colon = '/';
        if (ip_parse_rational(ratio, &aspect) && aspect.num > 0 && aspect.den > 0 && aspect.num != aspect.den)
            out->pixel_aspect = (double)aspect.num / (double)aspect.den;
    }
    ip_free(ratio);
    take_count(stream, format, out);
    return take_pixel_format(root, path, out);
}

ipos_status ip_ffmpeg_output(
    const ip_io_env *env, const char *const *argv, int input, const char *path, size_t limit, ip_buffer *out) {
    ip_child child;
    IP_TRY(ip_child_start(argv, input, false, &child));
    char *chunk = ip_alloc(65536);
    ipos_status status = chunk ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    size_t got = 65536;
    while (status == IPOS_OK && got > 0 && out->size < limit && !out->failed) {
        status = ip_child_read(&child, chunk, 65536, 60, ip_io_cancel(env), &got);
        if (status == IPOS_OK)
            ip_buffer_add(out, chunk, got);
    }
    ip_free(chunk);
    if (status != IPOS_OK) {
        ip_child_kill(&child);
        return ip_fail_in(status, "%s", path);
    }
    int code = ip_child_wait(&child, 20, ip_io_cancel(env));
    if (code != 0 || out->failed)
        return ip_fail(IPOS_ERR_FORMAT, "%s: not a movie or picture that ffmpeg can read: %s", path,
            child.said[0] ? child.said : "no reason given");
    return IPOS_OK;
}

ipos_status ip_ffprobe(const ip_io_env *env, const char *path, int input, const char *demuxer, bool count_packets, ip_probe *out) {
    memset(out, 0, sizeof *out);
    char *program = ip_ffprobe_path(env), *source = input >= 0 ? ip_strdup("file:/dev/stdin") : ip_ffmpeg_input(path);
    const char *argv[24] = {program, "-v", "error", "-protocol_whitelist", "file", "-print_format", "json", "-show_format",
        "-show_streams", "-show_pixel_formats", "-select_streams", "v:0"};
    size_t n = 12;
    if (count_packets)
        argv[n++] = "-count_packets";
    if (demuxer) {
        argv[n++] = "-f";
        argv[n++] = demuxer;
    }
    argv[n++] = "-i";
    argv[n] = source;
    ip_buffer json = {0};
    ipos_status status = !source    ? IPOS_ERR_NO_MEMORY
                         : !program ? IPOS_ERR_ARGUMENT
                                    : ip_ffmpeg_output(env, argv, input, path, 8 << 20, &json);
    json_t *root = NULL;
    if (status == IPOS_OK) {
        root = json_loadb(json.data, json.size, JSON_DISABLE_EOF_CHECK, NULL);
        status = root ? parse(root, path, out) : ip_fail(IPOS_ERR_FORMAT, "%s: ffprobe gave no valid JSON", path);
    }
    json_decref(root);
    ip_buffer_free(&json);
    ip_free(program);
    ip_free(source);
    return status;
}
