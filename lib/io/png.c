#include "png_parts.h"
#include <png.h>

typedef struct png_job {
    const ip_input *in;
    const ip_cancel *cancel;
    uint64_t at;
    png_structp png;
    png_infop info;
    const ip_png_layout *layout;
    ipos_frame *frame;
    uint8_t *buffer; /* one row, or the whole picture if interlaced */
    size_t row_bytes;
    char text[160];
    bool cancelled;
} png_job;

static bool probe(const uint8_t *head, size_t n) {
    return n >= 8 && memcmp(head, "\211PNG\r\n\032\n", 8) == 0;
}

static ipos_status info(const ip_io_env *env, const ip_input *in, int part, ip_image_header *out) {
    (void)env;
    if (part != 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: part %d of a PNG, which has one", in->name, part);
    ip_png_layout layout;
    return ip_png_scan(in, &layout, out);
}

static PNG_NORETURN void on_error(png_structp png, png_const_charp text) {
    png_job *job = png_get_error_ptr(png);
    snprintf(job->text, sizeof job->text, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep out, size_t n) {
    png_job *job = png_get_io_ptr(png);
    if (ip_input_read(job->in, job->at, out, n) != (int64_t)n)
        png_error(png, "the file ends too early");
    job->at += n;
}

static void *on_alloc(png_structp png, png_alloc_size_t n) {
    (void)png;
    return ip_alloc(n);
}

static void on_free(png_structp png, void *block) {
    (void)png;
    ip_free(block);
}

/* Interleaved samples of one row into the frame's planes. */
static void split_row(ipos_frame *frame, uint32_t y, const uint8_t *row) {
    size_t n = frame->channel_count;
    for (size_t c = 0; c < n; c++) {
        ip_channel *channel = &frame->channels[c];
        uint8_t *to = channel->data + (ptrdiff_t)y * channel->row_stride;
        if (channel->type == IPOS_U16) {
            for (int32_t x = 0; x < channel->width; x++)
                memcpy(to + (ptrdiff_t)x * channel->pixel_stride, row + 2 * ((size_t)x * n + c), 2);
        } else {
            for (int32_t x = 0; x < channel->width; x++)
                to[(ptrdiff_t)x * channel->pixel_stride] = row[(size_t)x * n + c];
        }
    }
}

static void set_transforms(png_job *job) {
    png_set_user_limits(job->png, INT32_MAX, INT32_MAX); /* ours are checked before */
    png_set_chunk_malloc_max(job->png, 1 << 20);
    png_set_keep_unknown_chunks(job->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_benign_errors(job->png, 1);
    png_set_option(job->png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    png_read_info(job->png, job->info);
    png_set_expand(job->png); /* palette to RGB, 1/2/4 bits to 8 by replication, tRNS to alpha */
    if (job->layout->depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        png_set_swap(job->png);
}

/* Everything libpng may jump out of. State that outlives the jump lives in job. */
static bool decode(png_job *job) {
    if (setjmp(png_jmpbuf(job->png)))
        return false;
    set_transforms(job);
    int passes = png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
    size_t sample = job->layout->depth == 16 ? 2 : 1;
    if (png_get_rowbytes(job->png, job->info) != job->layout->width * sample * job->frame->channel_count)
        png_error(job->png, "the palette or transparency is damaged");
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < job->layout->height; y++) {
            if (y % 64 == 0 && ip_cancelled(job->cancel)) {
                job->cancelled = true;
                return false;
            }
            uint8_t *row = job->buffer + (passes > 1 ? (size_t)y * job->row_bytes : 0);
            png_read_row(job->png, row, NULL);
            if (pass == passes - 1)
                split_row(job->frame, y, row);
        }
    }
    png_read_end(job->png, NULL);
    return true;
}

/* Inflate gives at most 1032 bytes for one, so a huge picture in a small file is a lie found before memory is taken. */
static ipos_status check_plausible(const ip_io_env *env, const ip_input *in, const ip_png_layout *layout, size_t row_bytes) {
    static const uint8_t samples[7] = {1, 0, 3, 1, 2, 0, 4};
    uint64_t raw = (((uint64_t)layout->width * layout->depth * samples[layout->color_type] + 7) / 8) * layout->height;
    if (raw / 1032 > layout->idat_bytes + 64)
        return ip_fail(IPOS_ERR_FORMAT, "%s: claims %u x %u pixels but holds %llu compressed bytes", in->name, layout->width,
            layout->height, (unsigned long long)layout->idat_bytes);
    if (layout->interlace && (uint64_t)row_bytes * layout->height > ip_io_memory_limit(env))
        return ip_fail(IPOS_ERR_NO_MEMORY, "%s: %u x %u interlaced pixels need more than the limit of %llu MiB", in->name,
            layout->width, layout->height, (unsigned long long)(ip_io_memory_limit(env) >> 20));
    return IPOS_OK;
}

static ipos_status read_pixels(const ip_io_env *env, png_job *job, const ip_image_header *header) {
    const ip_png_layout *layout = job->layout;
    job->row_bytes = (size_t)layout->width * header->channel_count * (layout->depth == 16 ? 2 : 1);
    IP_TRY(check_plausible(env, job->in, layout, job->row_bytes));
    IP_TRY(ip_header_frame(env, header, job->in->name, &job->frame));
    job->buffer = ip_calloc(layout->interlace ? layout->height : 1, job->row_bytes + 8);
    if (!job->buffer)
        return IPOS_ERR_NO_MEMORY;
    job->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, job, on_error, on_warning, NULL, on_alloc, on_free);
    job->info = job->png ? png_create_info_struct(job->png) : NULL;
    if (!job->info)
        return ip_fail(IPOS_ERR_NO_MEMORY, "%s: libpng could not start", job->in->name);
    png_set_read_fn(job->png, job, on_read);
    if (decode(job))
        return IPOS_OK;
    if (job->cancelled)
        return ip_fail(IPOS_ERR_CANCELLED, "%s: reading was cancelled", job->in->name);
    return ip_fail(IPOS_ERR_FORMAT, "%s: damaged PNG: %s", job->in->name, job->text);
}

static ipos_status read(const ip_io_env *env, const ip_input *in, int part, ipos_frame **out) {
    *out = NULL;
    if (part != 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: part %d of a PNG, which has one", in->name, part);
    ip_png_layout layout;
    ip_image_header header = {0};
    ipos_status status = ip_png_scan(in, &layout, &header);
    png_job job = {.in = in, .cancel = ip_io_cancel(env), .layout = &layout};
    if (status == IPOS_OK)
        status = read_pixels(env, &job, &header);
    if (job.png)
        png_destroy_read_struct(&job.png, &job.info, NULL);
    ip_free(job.buffer);
    ip_header_free(&header);
    if (status == IPOS_OK)
        *out = job.frame;
    else
        ipos_frame_release(job.frame);
    return status;
}

const ip_image_format ip_format_png = {"png", "png", probe, info, read, ip_png_write};
