/* JPEG and DPX: recognised and measured here; DPX and unusual JPEGs are decoded by ffmpeg. */
#include "ffmpeg.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static bool probe_jpeg(const uint8_t *head, size_t n) {
    return n >= 4 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
}

static bool probe_dpx(const uint8_t *head, size_t n) {
    return n >= 8 && (memcmp(head, "SDPX", 4) == 0 || memcmp(head, "XPDS", 4) == 0);
}

/* DPX says itself what its code values mean: log printing density, linear, video. */
static const char *film_encoding(const ip_image_format *format, const ip_input *in) {
    uint8_t transfer = 0;
    if (format != &ip_format_dpx || ip_input_read(in, 801, &transfer, 1) != 1)
        return "";
    switch (transfer) {
    case 1: case 3: return "cineon";
    case 2: return "linear";
    case 5: case 6: case 7: case 8: return "rec709";
    default: return "";
    }
}

const char *ip_still_demuxer(const ip_image_format *format) {
    return format == &ip_format_jpeg ? "jpeg_pipe" : "dpx_pipe";
}

/* A descriptor for the child: the file's own, or memory put into an anonymous file. *made: to be closed by the caller. */
static ipos_status descriptor_of(const ip_input *in, int *fd, bool *made) {
    *made = in->fd < 0;
    *fd = in->fd;
    if (!*made)
        return IPOS_OK;
    *fd = memfd_create("interpos-still", MFD_CLOEXEC);
    for (uint64_t done = 0; *fd >= 0 && done < in->size;) {
        ssize_t put = write(*fd, in->bytes + done, (size_t)(in->size - done));
        if (put <= 0) {
            close(*fd);
            *fd = -1;
            break;
        }
        done += (uint64_t)put;
    }
    return *fd >= 0 ? IPOS_OK : ip_fail(IPOS_ERR_NO_MEMORY, "no memory for a picture of %llu bytes", (unsigned long long)in->size);
}

static uint32_t be16(const uint8_t *b) {
    return (uint32_t)b[0] << 8 | b[1];
}

/* The frame header of a JPEG: precision, height, width, components. */
static bool jpeg_frame(const ip_input *in, uint32_t frame[4]) {
    uint64_t at = 2;
    for (int segments = 0; segments < 4096; segments++) {
        uint8_t b[10];
        if (ip_input_read(in, at, b, sizeof b) != (int64_t)sizeof b || b[0] != 0xff)
            return false;
        if (b[1] == 0xff) { /* fill */
            at++;
            continue;
        }
        if (b[1] >= 0xc0 && b[1] <= 0xcf && b[1] != 0xc4 && b[1] != 0xc8 && b[1] != 0xcc) {
            frame[0] = b[4];
            frame[1] = be16(b + 5);
            frame[2] = be16(b + 7);
            frame[3] = b[9];
            return frame[1] && frame[2];
        }
        if (b[1] == 0xda || be16(b + 2) < 2)
            return false;
        at += 2 + be16(b + 2);
    }
    return false;
}

bool ip_still_size(const ip_image_format *format, const ip_input *in, int32_t *width, int32_t *height) {
    uint32_t frame[4];
    uint8_t head[780];
    if (format == &ip_format_jpeg) {
        if (!jpeg_frame(in, frame))
            return false;
        *height = (int32_t)frame[1];
        *width = (int32_t)frame[2];
        return true;
    }
    if (ip_input_read(in, 0, head, sizeof head) != (int64_t)sizeof head)
        return false;
    const uint8_t *w = head + 772, *h = head + 776;
    bool big = head[0] == 'S';
    *width =
        (int32_t)(big ? be16(w) << 16 | be16(w + 2) : (uint32_t)w[3] << 24 | (uint32_t)w[2] << 16 | (uint32_t)w[1] << 8 | w[0]);
    *height =
        (int32_t)(big ? be16(h) << 16 | be16(h + 2) : (uint32_t)h[3] << 24 | (uint32_t)h[2] << 16 | (uint32_t)h[1] << 8 | h[0]);
    return true;
}

/* The common JPEGs: 8 bits, grey or colour. */
static bool plain_jpeg(const ip_image_format *format, const ip_input *in, ip_probe *probe) {
    uint32_t frame[4];
    if (format != &ip_format_jpeg || !jpeg_frame(in, frame) || frame[0] != 8 || (frame[3] != 1 && frame[3] != 3))
        return false;
    *probe = (ip_probe){.container = "jpeg", .codec = "mjpeg", .width = (int32_t)frame[2], .height = (int32_t)frame[1], .bits = 8,
        .components = (int32_t)frame[3], .frames = 1};
    return true;
}

static ipos_status describe(const ip_io_env *env, const ip_image_format *format, const ip_input *in, int fd, ip_probe *probe,
    ip_raw *raw, ip_image_header *header) {
    if (!plain_jpeg(format, in, probe))
        IP_TRY(ip_ffprobe(env, in->name, fd, ip_still_demuxer(format), false, probe));
    const char *encoding = film_encoding(format, in);
    if (encoding[0])
        snprintf(probe->encoding, sizeof probe->encoding, "%s", encoding);
    IP_TRY(ip_raw_plan(probe, in->name, raw));
    return ip_raw_header(raw, probe, header);
}

ipos_status ip_still_describe(
    const ip_io_env *env, const ip_image_format *format, const ip_input *in, ip_probe *probe, ip_raw *raw) {
    ip_image_header header = {0};
    ipos_status status = describe(env, format, in, in->fd, probe, raw, &header);
    ip_header_free(&header);
    return status;
}

static ipos_status still_info(
    const ip_io_env *env, const ip_image_format *format, const ip_input *in, int part, ip_image_header *out) {
    if (part != 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: part %d of a picture that has one", in->name, part);
    int fd = -1;
    bool made = false;
    ip_probe probe;
    ip_raw raw;
    if (!plain_jpeg(format, in, &probe))
        IP_TRY(descriptor_of(in, &fd, &made));
    ipos_status status = describe(env, format, in, fd, &probe, &raw, out);
    if (made)
        close(fd);
    return status;
}

static ipos_status decode(const ip_io_env *env, const ip_image_format *format, const ip_input *in, int fd, const ip_raw *raw,
    const ip_image_header *header, ipos_frame **out) {
    ipos_frame *frame = NULL;
    IP_TRY(ip_header_frame(env, header, in->name, &frame));
    const char *const source[] = {"-f", ip_still_demuxer(format), "-i", "file:/dev/stdin", NULL};
    ip_video video = {0};
    ipos_status status = ip_video_start(env, source, fd, raw, "1", 0, 1, &video);
    if (status == IPOS_OK)
        status = ip_video_next(env, &video, raw, 60, in->name, frame);
    if (status == IPOS_ERR_NOT_FOUND)
        status = ip_fail(IPOS_ERR_FORMAT, "%s: ffmpeg found no picture in it", in->name);
    ip_video_stop(&video);
    if (status == IPOS_OK)
        *out = frame;
    else
        ipos_frame_release(frame);
    return status;
}

static ipos_status still_read(
    const ip_io_env *env, const ip_image_format *format, const ip_input *in, int part, ipos_frame **out) {
    *out = NULL;
    if (part != 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: part %d of a picture that has one", in->name, part);
    int fd;
    bool made;
    ip_probe probe;
    ip_raw raw;
    ip_image_header header = {0};
    if (plain_jpeg(format, in, &probe)) {
        ipos_status plain = ip_raw_plan(&probe, in->name, &raw);
        if (plain == IPOS_OK)
            plain = ip_raw_header(&raw, &probe, &header);
        if (plain == IPOS_OK)
            plain = ip_jpeg_decode(env, in, &header, out);
        ip_header_free(&header);
        return plain;
    }
    IP_TRY(descriptor_of(in, &fd, &made));
    ipos_status status = describe(env, format, in, fd, &probe, &raw, &header);
    if (status == IPOS_OK)
        status = decode(env, format, in, fd, &raw, &header, out);
    ip_header_free(&header);
    if (made)
        close(fd);
    return status;
}

static ipos_status still_write(ipos_frame *const *frames, size_t count, const ipos_write_config *config, ip_output *out) {
    (void)frames;
    (void)count;
    (void)config;
    return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: JPEG and DPX are read only; write PNG, TIFF or OpenEXR", out->name);
}

#define STILL(kind)                                                                                                              \
    static ipos_status kind##_info(const ip_io_env *env, const ip_input *in, int part, ip_image_header *out) {                   \
        return still_info(env, &ip_format_##kind, in, part, out);                                                                \
    }                                                                                                                            \
    static ipos_status kind##_read(const ip_io_env *env, const ip_input *in, int part, ipos_frame **out) {                       \
        return still_read(env, &ip_format_##kind, in, part, out);                                                                \
    }
STILL(jpeg)
STILL(dpx)

const ip_image_format ip_format_jpeg = {"jpeg", "jpg,jpeg", probe_jpeg, jpeg_info, jpeg_read, still_write};
const ip_image_format ip_format_dpx = {"dpx", "dpx", probe_dpx, dpx_info, dpx_read, still_write};
