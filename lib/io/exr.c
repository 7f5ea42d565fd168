#include "exr.h"

static bool probe(const uint8_t *head, size_t n) {
    return n >= 8 && memcmp(head, "\x76\x2f\x31\x01", 4) == 0;
}

/* Encoding by the file's own word: its primaries, or the colour space OpenImageIO wrote down. */
static const char *encoding_of(const ip_exr_part *part) {
    static const struct {
        const char *encoding;
        float xy[8];
    } primaries[] = {
        {"linear", {.64f, .33f, .30f, .60f, .15f, .06f, .3127f, .3290f}},
        {"acescg", {.713f, .293f, .165f, .830f, .128f, .044f, .32168f, .33767f}},
        {"aces2065-1", {.7347f, .2653f, 0.f, 1.f, .0001f, -.077f, .32168f, .33767f}},
    };
    static const char *const spaces[][2] = {{"Linear", "linear"}, {"linear", "linear"}, {"lin_srgb", "linear"}, {"lin_rec709", "linear"},
        {"sRGB", "srgb"}, {"Rec709", "rec709"}, {"ACEScg", "acescg"}, {"ACES2065-1", "aces2065-1"}};
    const ip_exr_attribute *a = ip_exr_find(part, "chromaticities", "chromaticities");
    if (a) {
        float xy[8];
        memcpy(xy, a->bytes, sizeof xy);
        for (size_t i = 0; i < IP_COUNT(primaries); i++) {
            bool same = true;
            for (int k = 0; k < 8; k++)
                same = same && xy[k] > primaries[i].xy[k] - .001f && xy[k] < primaries[i].xy[k] + .001f;
            if (same)
                return primaries[i].encoding;
        }
        return "";
    }
    a = ip_exr_find(part, "oiio:ColorSpace", "string");
    for (size_t i = 0; a && i < IP_COUNT(spaces); i++)
        if (a->size == strlen(spaces[i][0]) && memcmp(a->bytes, spaces[i][0], a->size) == 0)
            return spaces[i][1];
    return "";
}

/* The channel list is the frame's own, unless it says something that a frame's channels cannot. */
static bool is_linear(const ip_exr_part *part) {
    for (size_t i = 0; i < part->channel_count; i++)
        if (part->channels[i].linear)
            return true;
    return false;
}

static bool left_out(const ip_exr_part *part, const ip_exr_attribute *a) {
    if (strcmp(a->type, "box2i") == 0)
        return strcmp(a->name, "dataWindow") == 0 || strcmp(a->name, "displayWindow") == 0;
    if (strcmp(a->type, "chlist") == 0)
        return strcmp(a->name, "channels") == 0 && !is_linear(part);
    if (strcmp(a->name, "chunkCount") == 0)
        return strcmp(a->type, "int") == 0;
    return strcmp(a->name, "tiles") == 0 && strcmp(a->type, "tiledesc") == 0 && !part->tiled;
}

static ipos_status describe(const ip_exr_file *file, const ip_exr_part *part, ip_image_header *out) {
    static const int32_t types[] = {IPOS_U32, IPOS_F16, IPOS_F32};
    out->data_window = part->data;
    out->display_window = part->display;
    out->parts = (int)file->part_count;
    snprintf(out->encoding, sizeof out->encoding, "%s", encoding_of(part));
    for (size_t i = 0; i < part->channel_count; i++) {
        const ip_exr_channel *c = &part->channels[i];
        IP_TRY(ip_header_add_channel(out, c->name, types[c->type], c->xs, c->ys));
    }
    for (size_t i = 0; i < part->attribute_count; i++) {
        const ip_exr_attribute *a = &part->attributes[i];
        if (!left_out(part, a))
            IP_TRY(ip_header_set_attribute(out, a->name, a->type, a->bytes, a->size));
    }
    return IPOS_OK;
}

static ipos_status choose(const ip_input *in, int part, ip_exr_file *file) {
    IP_TRY(ip_exr_open(in, file));
    if (part >= 0 && (size_t)part < file->part_count)
        return IPOS_OK;
    ipos_status status = ip_fail(IPOS_ERR_ARGUMENT, "%s: part %d, the file has %zu", in->name, part, file->part_count);
    ip_exr_close(file);
    return status;
}

static ipos_status info(const ip_io_env *env, const ip_input *in, int part, ip_image_header *out) {
    ip_exr_file file;
    (void)env;
    IP_TRY(choose(in, part, &file));
    ipos_status status = describe(&file, &file.parts[part], out);
    ip_exr_close(&file);
    return status;
}

static ipos_status decode(const ip_io_env *env, const ip_exr_file *file, const ip_exr_part *part, const ip_exr_chunk *chunks,
    uint64_t count, ipos_frame *frame, const size_t *order) {
    ip_exr_codec *codec;
    IP_TRY(ip_exr_codec_open(part, file->in->name, false, &codec));
    ipos_status status = IPOS_OK;
    for (uint64_t i = 0; i < count && status == IPOS_OK; i++) {
        const uint8_t *bytes = NULL;
        if (ip_cancelled(ip_io_cancel(env)))
            status = ip_fail(IPOS_ERR_CANCELLED, "%s: reading was cancelled", file->in->name);
        else
            status = ip_exr_unpack(codec, &chunks[i], file->in, &bytes);
        if (status == IPOS_OK)
            ip_exr_scatter(part, &chunks[i], bytes, frame, order);
    }
    ip_exr_codec_close(codec);
    return status;
}

static ipos_status read_part(const ip_io_env *env, const ip_exr_file *file, size_t index, const ip_image_header *header, ipos_frame **out) {
    const ip_exr_part *part = &file->parts[index];
    ip_exr_chunk *chunks;
    uint64_t count;
    IP_TRY(ip_exr_chunks(file, index, &chunks, &count));
    ipos_frame *frame = NULL;
    ipos_status status = IPOS_OK;
    const uint64_t limit = ip_io_memory_limit(env), working = 3 * ip_exr_largest_chunk(part);
    if (working > limit || ip_header_bytes(header) > limit - working)
        status = ip_fail(IPOS_ERR_NO_MEMORY, "%s: %d x %d pixels of %zu channels need more than the limit of %llu MiB", file->in->name,
            part->data.width, part->data.height, part->channel_count, (unsigned long long)(limit >> 20));
    if (status == IPOS_OK)
        status = ip_header_frame(env, header, file->in->name, &frame);
    size_t *order = ip_calloc(part->channel_count, sizeof *order);
    if (!order && status == IPOS_OK)
        status = IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; order && i < part->channel_count; i++)
        order[i] = i;
    if (status == IPOS_OK)
        status = part->compression >= IP_EXR_DWAA ? ip_exr_dwa_read(env, file, part, chunks, count, frame, order)
                                                  : decode(env, file, part, chunks, count, frame, order);
    ip_free(order);
    ip_free(chunks);
    if (status != IPOS_OK) {
        ipos_frame_release(frame);
        return status;
    }
    *out = frame;
    return IPOS_OK;
}

static ipos_status read(const ip_io_env *env, const ip_input *in, int part, ipos_frame **out) {
    ip_exr_file file;
    ip_image_header header = {0};
    *out = NULL;
    IP_TRY(choose(in, part, &file));
    ipos_status status;
    if (file.parts[part].deep)
        status = ip_fail(IPOS_ERR_UNSUPPORTED, "%s: part %d is a deep image, which is not read", in->name, part);
    else
        status = describe(&file, &file.parts[part], &header);
    if (status == IPOS_OK)
        status = read_part(env, &file, (size_t)part, &header, out);
    ip_header_free(&header);
    ip_exr_close(&file);
    return status;
}

const ip_image_format ip_format_exr = {.name = "exr", .extensions = "exr,sxr,mxr", .probe = probe, .info = info, .read = read, .write = ip_exr_write};
