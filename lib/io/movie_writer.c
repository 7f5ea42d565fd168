/* Movies through an ffmpeg child fed with raw frames: FFV1 in Matroska keeps every bit, ProRes 4444 in MOV is for looking at. */
#include "ffmpeg.h"

struct ip_movie_writer {
    ip_child child;
    bool running;
    ip_output out;          /* holds the temporary and its place */
    char *ffmpeg_path;
    const ip_cancel *cancel;
    ipos_rational rate;
    bool prores;
    int32_t width, height, type;
    int order[4];           /* frame channel of each raw sample */
    int samples;
    int64_t frames;
    uint8_t *buffer;
    size_t bytes;
};

static bool ends_with(const char *path, const char *end) {
    size_t n = strlen(path), k = strlen(end);
    return n > k && strcmp(path + n - k, end) == 0;
}

ipos_status ip_movie_create(const ip_io_env *env, const char *path, ipos_rational rate, ip_movie_writer **out) {
    *out = NULL;
    bool prores = ends_with(path, ".mov");
    if (!prores && !ends_with(path, ".mkv"))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: movies are written as .mkv (FFV1, lossless) or .mov (ProRes 4444)", path);
    if (rate.num <= 0 || rate.den <= 0)
        return ip_fail(
            IPOS_ERR_ARGUMENT, "%s: a movie needs a frame rate, %lld/%lld given", path, (long long)rate.num, (long long)rate.den);
    ip_movie_writer *writer = ip_calloc(1, sizeof *writer);
    if (!writer)
        return IPOS_ERR_NO_MEMORY;
    ip_child_blank(&writer->child);
    writer->out.fd = -1;
    writer->rate = ip_reduce(rate);
    writer->prores = prores;
    writer->cancel = ip_io_cancel(env);
    writer->ffmpeg_path = ip_strdup(ip_ffmpeg_path(env));
    char *absolute = ip_path_absolute(path);
    ipos_status status = absolute && writer->ffmpeg_path ? ip_output_open(absolute, &writer->out) : IPOS_ERR_NO_MEMORY;
    ip_free(absolute);
    if (status != IPOS_OK) {
        ip_free(writer->ffmpeg_path);
        ip_free(writer);
        return status;
    }
    *out = writer;
    return IPOS_OK;
}

static ipos_status order_channels(ip_movie_writer *writer, const ipos_frame *frame) {
    static const char *const color[] = {"R", "G", "B", "A"}, *const grey[] = {"Y", "A"};
    bool is_grey = ipos_frame_find_channel(frame, "R") < 0;
    int most = is_grey ? 2 : 4;
    writer->samples = 0;
    for (int i = 0; i < most; i++) {
        int64_t index = ipos_frame_find_channel(frame, is_grey ? grey[i] : color[i]);
        bool alpha = i == most - 1;
        if (index < 0 && !alpha)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: a movie holds Y or R,G,B(,A); the frame has no channel %s", writer->out.path,
                is_grey ? grey[i] : color[i]);
        if (index >= 0 && !(alpha && is_grey)) /* neither codec takes grey with alpha */
            writer->order[writer->samples++] = (int)index;
    }
    if ((size_t)writer->samples != frame->channel_count)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: a movie holds Y or R,G,B(,A) and no other of the frame's %zu channels",
            writer->out.path, frame->channel_count);
    return IPOS_OK;
}

static ipos_status check_frame(ip_movie_writer *writer, const ipos_frame *frame) {
    for (int i = 0; i < writer->samples; i++) {
        const ip_channel *c = &frame->channels[writer->order[i]];
        if (c->type != writer->type || c->xs != 1 || c->ys != 1)
            return ip_fail(IPOS_ERR_UNSUPPORTED,
                "%s: a movie holds u8 or u16 samples, the same throughout; channel %s is %s: convert it", writer->out.path,
                c->name, ip_sample_name(c->type));
    }
    if (frame->data_window.width != writer->width || frame->data_window.height != writer->height)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: a frame of %d x %d in a movie of %d x %d", writer->out.path,
            frame->data_window.width, frame->data_window.height, writer->width, writer->height);
    return IPOS_OK;
}

/* 8-bit RGB travels in the orders FFV1 codes without a conversion; 16-bit as planes G, B, R. */
static const char *raw_format(const ip_movie_writer *writer, bool *planar) {
    bool wide = writer->type == IPOS_U16;
    *planar = wide && writer->samples == 3;
    if (writer->samples == 1)
        return wide ? "gray16le" : "gray";
    if (writer->samples == 4)
        return wide ? "rgba64le" : "bgra";
    return wide ? "gbrp16le" : "bgr0";
}

/* The encoding goes into the stream's colour tags; ProRes is Y'CbCr by Rec.709's matrix. */
static void make_filter(const char *encoding, bool prores, char *out, size_t size) {
    static const char *const transfers[][2] = {
        {"srgb", "iec61966-2-1"}, {"rec709", "bt709"}, {"linear", "linear"}, {"gamma2.2", "bt470m"}};
    const char *transfer = NULL;
    for (size_t i = 0; i < IP_COUNT(transfers); i++)
        if (strcmp(encoding, transfers[i][0]) == 0)
            transfer = transfers[i][1];
    snprintf(out, size, "%s%s%s",
        prores ? "scale=out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int,setparams=colorspace=bt709" : "null",
        transfer ? ",setparams=color_primaries=bt709:color_trc=" : "", transfer ? transfer : "");
}

static ipos_status start(ip_movie_writer *writer, const ipos_frame *frame) {
    bool planar;
    const char *format = raw_format(writer, &planar);
    char size[32], rate[48], *target = ip_format("file:%s", writer->out.temporary);
    snprintf(size, sizeof size, "%dx%d", writer->width, writer->height);
    snprintf(rate, sizeof rate, "%lld/%lld", (long long)writer->rate.num, (long long)writer->rate.den);
    const char *argv[48] = {writer->ffmpeg_path, "-v", "error", "-nostats", "-hide_banner", "-y", "-threads", "2",
        "-protocol_whitelist", "file,pipe", "-f", "rawvideo", "-pix_fmt", format, "-s", size, "-framerate", rate, "-i", "pipe:0",
        "-an", "-vsync", "passthrough"};
    size_t n = 23;
    const char *const lossless[] = {"-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-g", "1", "-f", "matroska"};
    const char *const viewing[] = {"-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt",
        writer->samples == 4 ? "yuva444p10le" : "yuv444p10le", "-f", "mov"};
    const char *const *codec = writer->prores ? viewing : lossless;
    for (size_t i = 0; i < (writer->prores ? IP_COUNT(viewing) : IP_COUNT(lossless)); i++)
        argv[n++] = codec[i];
    char filter[200];
    make_filter(frame->encoding, writer->prores, filter, sizeof filter);
    argv[n++] = "-vf";
    argv[n++] = filter;
    argv[n] = target;
    ipos_status status = target ? ip_child_start(argv, -1, true, &writer->child) : IPOS_ERR_NO_MEMORY;
    writer->running = status == IPOS_OK;
    ip_free(target);
    return status;
}

static ipos_status begin(ip_movie_writer *writer, const ipos_frame *frame) {
    IP_TRY(order_channels(writer, frame));
    writer->type = frame->channels[writer->order[0]].type;
    writer->width = frame->data_window.width;
    writer->height = frame->data_window.height;
    if (writer->type != IPOS_U8 && writer->type != IPOS_U16)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: a movie holds u8 or u16 samples; channel %s is %s: convert it", writer->out.path,
            frame->channels[writer->order[0]].name, ip_sample_name(writer->type));
    IP_TRY(check_frame(writer, frame));
    size_t samples = writer->samples == 3 && writer->type == IPOS_U8 ? 4 : (size_t)writer->samples;
    writer->bytes = (size_t)writer->width * (size_t)writer->height * samples * ip_sample_bytes(writer->type);
    writer->buffer = ip_calloc(1, writer->bytes);
    return writer->buffer ? start(writer, frame) : IPOS_ERR_NO_MEMORY;
}

static void pack(const ip_movie_writer *writer, const ipos_frame *frame) {
    static const int gbr[3] = {2, 0, 1}, bgra[4] = {2, 1, 0, 3}; /* where R, G, B, A go */
    bool planar;
    raw_format(writer, &planar);
    size_t sample = ip_sample_bytes(writer->type), pixels = (size_t)writer->width * (size_t)writer->height;
    bool swapped = writer->type == IPOS_U8 && writer->samples >= 3;
    size_t step = planar ? sample : swapped ? 4 : (size_t)writer->samples * sample;
    for (int i = 0; i < writer->samples; i++) {
        const ip_channel *c = &frame->channels[writer->order[i]];
        uint8_t *to = writer->buffer + (planar ? (size_t)gbr[i] * pixels * sample : (size_t)(swapped ? bgra[i] : i) * sample);
        for (int32_t y = 0; y < c->height; y++) {
            const uint8_t *from = c->data + (ptrdiff_t)y * c->row_stride;
            for (int32_t x = 0; x < c->width; x++, from += c->pixel_stride, to += step)
                memcpy(to, from, sample);
        }
    }
}

static ipos_status say_failure(ip_movie_writer *writer, ipos_status status) {
    ip_child_kill(&writer->child);
    writer->running = false;
    if (status == IPOS_ERR_CANCELLED)
        return ip_fail_in(status, "%s", writer->out.path);
    return ip_fail(IPOS_ERR_IO, "%s: cannot be written: %s", writer->out.path,
        writer->child.said[0] ? writer->child.said : "ffmpeg stopped");
}

ipos_status ip_movie_add(ip_movie_writer *writer, const ipos_frame *frame) {
    if (writer->frames == 0 && !writer->running)
        IP_TRY(begin(writer, frame));
    if (!writer->running)
        return ip_fail(IPOS_ERR_STATE, "%s: writing has failed before", writer->out.path);
    IP_TRY(order_channels(writer, frame));
    IP_TRY(check_frame(writer, frame));
    pack(writer, frame);
    ipos_status status = ip_child_write(&writer->child, writer->buffer, writer->bytes, 60, writer->cancel);
    if (status != IPOS_OK)
        return say_failure(writer, status);
    writer->frames++;
    return IPOS_OK;
}

ipos_status ip_movie_end(ip_movie_writer *writer, bool keep) {
    if (!writer)
        return IPOS_OK;
    ipos_status status = IPOS_OK;
    if (keep && !writer->running)
        status = ip_fail(IPOS_ERR_STATE, "%s: no frame was written", writer->out.path);
    if (keep && writer->running && ip_child_wait(&writer->child, 120, writer->cancel) != 0)
        status = say_failure(writer, IPOS_ERR_IO);
    ip_child_kill(&writer->child);
    if (keep && status == IPOS_OK)
        status = ip_output_finish(&writer->out, NULL, NULL);
    else
        ip_output_discard(&writer->out);
    ip_free(writer->buffer);
    ip_free(writer->ffmpeg_path);
    ip_free(writer);
    return status;
}
