/* JPEG through libjpeg, one call a picture: a child process for each would cost more than the decoding. What libjpeg does not
 * turn into grey or RGB (CMYK, 12 bits) goes to ffmpeg. */
#include "ffmpeg.h"
#include <setjmp.h>
#include <jpeglib.h> /* needs <stdio.h> first */
#include <jerror.h>

enum { FILE_LIMIT = 1 << 30, SCAN_LIMIT = 200 };

typedef struct jpeg_job {
    struct jpeg_decompress_struct jpeg; /* first, so that handlers find the rest */
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    const ip_cancel *cancel;
    ipos_frame *frame;
    uint8_t *row;
    char text[JMSG_LENGTH_MAX];
    bool cancelled;
} jpeg_job;

static _Noreturn void on_error(j_common_ptr common) {
    jpeg_job *job = (jpeg_job *)(void *)common;
    if (!job->text[0])
        common->err->format_message(common, job->text);
    longjmp(job->back, 1);
}

/* libjpeg conceals damage and warns; only liberties that spoil no pixel are let through. */
static void on_message(j_common_ptr common, int level) {
    int code = common->err->msg_code;
    if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR)
        on_error(common);
}

static void on_output(j_common_ptr common) {
    (void)common;
}

static void on_progress(j_common_ptr common) {
    jpeg_job *job = (jpeg_job *)(void *)common;
    job->cancelled = ip_cancelled(job->cancel);
    if (!job->cancelled && job->jpeg.input_scan_number <= SCAN_LIMIT)
        return;
    snprintf(job->text, sizeof job->text, "more than %d scans", SCAN_LIMIT);
    longjmp(job->back, 1);
}

static void split_row(const jpeg_job *job, uint32_t y) {
    size_t n = job->frame->channel_count;
    for (size_t c = 0; c < n; c++) {
        const ip_channel *channel = &job->frame->channels[c];
        uint8_t *to = channel->data + (ptrdiff_t)y * channel->row_stride;
        for (int32_t x = 0; x < channel->width; x++)
            to[(ptrdiff_t)x * channel->pixel_stride] = job->row[(size_t)x * n + c];
    }
}

/* Everything libjpeg may jump out of; state lives in job. */
static bool decode(jpeg_job *job, const uint8_t *bytes, size_t size) {
    if (setjmp(job->back))
        return false;
    jpeg_create_decompress(&job->jpeg);
    job->jpeg.progress = &job->progress;
    jpeg_mem_src(&job->jpeg, bytes, (unsigned long)size);
    jpeg_read_header(&job->jpeg, TRUE);
    job->jpeg.out_color_space = job->frame->channel_count == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&job->jpeg);
    const ip_channel *first = &job->frame->channels[0];
    if (job->jpeg.output_width != (JDIMENSION)first->width || job->jpeg.output_height != (JDIMENSION)first->height ||
        (size_t)job->jpeg.output_components != job->frame->channel_count)
        return false;
    while (job->jpeg.output_scanline < job->jpeg.output_height) {
        JSAMPROW row = job->row;
        uint32_t y = job->jpeg.output_scanline;
        jpeg_read_scanlines(&job->jpeg, &row, 1);
        split_row(job, y);
    }
    jpeg_finish_decompress(&job->jpeg);
    return true;
}

static ipos_status run(const ip_io_env *env, const ip_input *in, const uint8_t *bytes, ipos_frame *frame) {
    jpeg_job *job = ip_calloc(1, sizeof *job);
    uint8_t *row = ip_calloc(frame->channel_count, (size_t)frame->data_window.width + 1);
    if (!job || !row) {
        ip_free(job);
        ip_free(row);
        return IPOS_ERR_NO_MEMORY;
    }
    job->cancel = ip_io_cancel(env);
    job->frame = frame;
    job->row = row;
    job->jpeg.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = on_error;
    job->errors.emit_message = on_message;
    job->errors.output_message = on_output;
    job->progress.progress_monitor = on_progress;
    ipos_status status = IPOS_OK;
    if (!decode(job, bytes, (size_t)in->size))
        status = job->cancelled ? ip_fail(IPOS_ERR_CANCELLED, "%s: reading was cancelled", in->name)
                                : ip_fail(IPOS_ERR_FORMAT, "%s: damaged JPEG: %s", in->name,
                                      job->text[0] ? job->text : "its headers disagree");
    jpeg_destroy_decompress(&job->jpeg);
    ip_free(job);
    ip_free(row);
    return status;
}

static ipos_status load_and_run(const ip_io_env *env, const ip_input *in, ipos_frame *frame) {
    if (in->bytes)
        return run(env, in, in->bytes, frame);
    if (in->size > FILE_LIMIT)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: a JPEG of more than %d MiB", in->name, FILE_LIMIT >> 20);
    uint8_t *bytes = ip_alloc((size_t)in->size);
    if (!bytes)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = IPOS_OK;
    if (ip_input_read(in, 0, bytes, (size_t)in->size) != (int64_t)in->size)
        status = ip_fail(IPOS_ERR_IO, "%s: could not be read whole", in->name);
    if (status == IPOS_OK)
        status = run(env, in, bytes, frame);
    ip_free(bytes);
    return status;
}

ipos_status ip_jpeg_decode(const ip_io_env *env, const ip_input *in, const ip_image_header *header, ipos_frame **out) {
    *out = NULL;
    /* Progressive pictures are held as coefficients, two bytes each, until the last scan. */
    uint64_t limit = ip_io_memory_limit(env);
    if (ip_header_bytes(header) > limit / 3)
        return ip_fail(IPOS_ERR_NO_MEMORY, "%s: %d x %d pixels need more than the limit of %llu MiB", in->name,
            header->data_window.width, header->data_window.height, (unsigned long long)(limit >> 20));
    ipos_frame *frame = NULL;
    IP_TRY(ip_header_frame(env, header, in->name, &frame));
    ipos_status status = load_and_run(env, in, frame);
    if (status == IPOS_OK)
        *out = frame;
    else
        ipos_frame_release(frame);
    return status;
}
