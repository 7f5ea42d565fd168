#include "attribute_pack.h"
#include "png_parts.h"
#include <math.h>
#include <png.h>
#include <zlib.h>

typedef struct png_out {
    const ipos_frame *frame;
    ip_output *out;
    uint64_t at;
    int order[4]; /* frame channel of each PNG sample */
    int samples;
    int32_t type;
    png_structp png;
    png_infop info;
    uint8_t *row;
    ip_buffer rest; /* of the attributes: what PNG has no chunk for */
    char text[160];
    ipos_status status;
} png_out;

static PNG_NORETURN void on_error(png_structp png, png_const_charp text) {
    png_out *job = png_get_error_ptr(png);
    snprintf(job->text, sizeof job->text, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_write(png_structp png, png_bytep bytes, size_t n) {
    png_out *job = png_get_io_ptr(png);
    job->status = ip_output_write(job->out, job->at, bytes, n);
    if (job->status != IPOS_OK)
        png_error(png, "write");
    job->at += n;
}

static void on_flush(png_structp png) {
    (void)png;
}

static ipos_status order_channels(png_out *job) {
    const ipos_frame *frame = job->frame;
    const char *names[4] = {"R", "G", "B", "A"};
    if (ipos_frame_find_channel(frame, "Y") >= 0) {
        names[0] = "Y";
        names[1] = "A";
        names[2] = names[3] = NULL;
    }
    for (int i = 0; i < 4 && names[i]; i++) {
        int64_t index = ipos_frame_find_channel(frame, names[i]);
        if (index < 0 && strcmp(names[i], "A") == 0)
            continue;
        if (index < 0)
            return ip_fail(
                IPOS_ERR_UNSUPPORTED, "%s: PNG holds Y, YA, RGB or RGBA; the frame has no channel %s", job->out->name, names[i]);
        job->order[job->samples++] = (int)index;
    }
    job->type = frame->channels[job->order[0]].type;
    for (size_t i = 0; i < frame->channel_count; i++) {
        const ip_channel *c = &frame->channels[i];
        if (c->type != job->type || (c->type != IPOS_U8 && c->type != IPOS_U16))
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: PNG holds u8 or u16 samples, the same in every channel; channel %s is %s",
                job->out->name, c->name, ip_sample_name(c->type));
        if (c->xs != 1 || c->ys != 1)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: PNG holds no subsampled channel (%s)", job->out->name, c->name);
        bool used = false;
        for (int k = 0; k < job->samples; k++)
            used = used || job->order[k] == (int)i;
        if (!used)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: PNG has no place for channel %s", job->out->name, c->name);
    }
    return IPOS_OK;
}

/* The sizes these chunks must have in the file being written; others go as they came. */
static bool chunk_fits(const png_out *job, const char *type, size_t size) {
    if (strcmp(type, "sBIT") == 0)
        return size == (size_t)job->samples;
    if (strcmp(type, "bKGD") == 0)
        return size == (size_t)(job->samples >= 3 ? 6 : 2);
    return strcmp(type, "IHDR") != 0 && strcmp(type, "cHRM") != 0 && size <= INT32_MAX;
}

static const uint8_t *frame_chunk(const void *user, const char *chunk, size_t *size) {
    char name[32];
    snprintf(name, sizeof name, "png:%s", chunk);
    const ip_attribute *a = ip_frame_attribute(user, name);
    if (a)
        *size = a->size;
    return a ? a->bytes : NULL;
}

static void put_u32(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Where the source was no PNG, its encoding is said in PNG's terms; a PNG's own chunks are left as they were. */
static void write_encoding(png_out *job) {
    const char *encoding = job->frame->encoding;
    size_t n = 0;
    if (frame_chunk(job->frame, "IHDR", &n) || frame_chunk(job->frame, "iCCP", &n) || frame_chunk(job->frame, "cICP", &n) ||
        frame_chunk(job->frame, "sRGB", &n) || frame_chunk(job->frame, "gAMA", &n))
        return;
    uint8_t gamma[4];
    put_u32(gamma, strcmp(encoding, "linear") == 0 ? 100000 : 45455);
    if (strcmp(encoding, "srgb") == 0)
        png_write_chunk(job->png, (png_const_bytep) "sRGB", (png_const_bytep) "\0", 1);
    else if (strcmp(encoding, "rec709") == 0)
        png_write_chunk(job->png, (png_const_bytep) "cICP", (png_const_bytep) "\1\1\0\1", 4);
    else if (strcmp(encoding, "gamma2.2") == 0 || strcmp(encoding, "linear") == 0)
        png_write_chunk(job->png, (png_const_bytep) "gAMA", gamma, 4);
}

static void write_chromaticities(png_out *job) {
    const ip_attribute *a = ip_frame_attribute(job->frame, "chromaticities");
    if (!a || a->size != 32)
        return;
    float xy[8];
    memcpy(xy, a->bytes, 32);
    uint8_t chunk[32];
    for (int i = 0; i < 8; i++) {
        double value = (double)xy[(i + 6) % 8] * 100000;
        if (!(value > -21474 && value < 2147483647))
            return;
        put_u32(chunk + 4 * i, (uint32_t)(int32_t)lround(value));
    }
    png_write_chunk(job->png, (png_const_bytep) "cHRM", chunk, 32);
}

/* Before any libpng call can jump, so that nothing is lost by a jump. */
static ipos_status pack_rest(png_out *job) {
    size_t n = 0;
    const char *encoding = job->frame->encoding, *said = ip_png_encoding(frame_chunk, job->frame);
    bool ours =
        !frame_chunk(job->frame, "IHDR", &n) && ip_in_list("srgb,rec709,gamma2.2,linear", encoding); /* write_encoding says it */
    float xy[8];
    const ip_attribute *exact = ip_frame_attribute(job->frame, "chromaticities");
    const uint8_t *chrm = frame_chunk(job->frame, "cHRM", &n);
    if (chrm && n == 32)
        ip_png_chromaticities(chrm, xy);
    bool said_by_chunk = chrm && n == 32 && exact && exact->size == sizeof xy && memcmp(exact->bytes, xy, sizeof xy) == 0;
    ip_pack_attributes(job->frame, "png:", said_by_chunk ? "chromaticities" : "", &job->rest);
    if (encoding[0] && strcmp(encoding, said) != 0 && !ours)
        ip_pack_add(&job->rest, IP_PACK_ENCODING, "string", encoding, strlen(encoding));
    return job->rest.failed ? ip_no_memory(0) : IPOS_OK;
}

static void write_chunks(png_out *job) {
    write_encoding(job);
    write_chromaticities(job);
    if (job->rest.size > 0 && job->rest.size <= INT32_MAX)
        png_write_chunk(job->png, (png_const_bytep) "ipAt", (png_const_bytep)job->rest.data, job->rest.size);
    for (size_t i = 0; i < job->frame->attribute_count; i++) {
        const ip_attribute *a = &job->frame->attributes[i];
        if (strncmp(a->type, "png:", 4) == 0 && strlen(a->type) == 8 && chunk_fits(job, a->type + 4, a->size))
            png_write_chunk(job->png, (png_const_bytep)(a->type + 4), a->bytes, a->size);
    }
}

static void join_row(const png_out *job, int32_t y) {
    for (int s = 0; s < job->samples; s++) {
        const ip_channel *c = &job->frame->channels[job->order[s]];
        const uint8_t *from = c->data + (ptrdiff_t)y * c->row_stride;
        for (int32_t x = 0; x < c->width; x++) {
            size_t at = (size_t)x * (size_t)job->samples + (size_t)s;
            if (job->type == IPOS_U16)
                memcpy(job->row + 2 * at, from + (ptrdiff_t)x * c->pixel_stride, 2);
            else
                job->row[at] = from[(ptrdiff_t)x * c->pixel_stride];
        }
    }
}

static bool encode(png_out *job) {
    if (setjmp(png_jmpbuf(job->png)))
        return false;
    static const int color_types[5] = {
        0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    const ipos_box *box = &job->frame->data_window;
    png_set_user_limits(job->png, INT32_MAX, INT32_MAX);
    /* What is left of photographs by one filter repeats only in runs: to look for more takes twice the time and makes files larger. */
    png_set_compression_level(job->png, 4);
    png_set_compression_strategy(job->png, Z_RLE);
    png_set_filter(job->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_PAETH);
    png_set_IHDR(job->png, job->info, (uint32_t)box->width, (uint32_t)box->height, job->type == IPOS_U16 ? 16 : 8,
        color_types[job->samples], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(job->png, job->info);
    write_chunks(job);
    if (job->type == IPOS_U16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        png_set_swap(job->png);
    for (int32_t y = 0; y < box->height; y++) {
        join_row(job, y);
        png_write_row(job->png, job->row);
    }
    png_write_end(job->png, NULL);
    return true;
}

ipos_status ip_png_write(ipos_frame *const *frames, size_t count, const ipos_write_config *config, ip_output *out) {
    if (count != 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: PNG takes exactly one frame, %zu given", out->name, count);
    if (config->compression && strcmp(config->compression, "deflate") != 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: PNG compression \"%s\", expected deflate", out->name, config->compression);
    const ipos_frame *frame = frames[0];
    const ipos_box *data = &frame->data_window, *display = &frame->display_window;
    if (memcmp(data, display, sizeof *data) != 0)
        return ip_fail(
            IPOS_ERR_UNSUPPORTED, "%s: PNG holds no data window apart from the display window; write OpenEXR", out->name);
    png_out job = {.frame = frame, .out = out};
    IP_TRY(order_channels(&job));
    job.row = ip_alloc((size_t)data->width * (size_t)job.samples * ip_sample_bytes(job.type));
    job.png = job.row ? png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning) : NULL;
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    ipos_status status = job.info ? pack_rest(&job) : ip_no_memory(0);
    if (status == IPOS_OK) {
        png_set_write_fn(job.png, &job, on_write, on_flush);
        if (!encode(&job))
            status =
                job.status != IPOS_OK ? job.status : ip_fail(IPOS_ERR_IO, "%s: PNG cannot be written: %s", out->name, job.text);
    }
    if (job.png)
        png_destroy_write_struct(&job.png, &job.info);
    ip_free(job.row);
    ip_buffer_free(&job.rest);
    return status;
}
