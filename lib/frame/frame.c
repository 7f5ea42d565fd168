/* Making frames, and what can be said of one as a whole. */
#include "frame.h"

enum { MAX_CHANNELS = 1024, MAX_NAME = 255, ALIGNMENT = 64 };

static void free_plain(ip_storage *storage, void *user)
{
    (void)storage;
    ip_free(user);
}

/* calloc's zeroes are free for large blocks, so the alignment is cut out of a larger one. */
static ipos_status make_plain(void *user, size_t bytes, ip_storage *storage)
{
    (void)user;
    if (bytes > PTRDIFF_MAX - ALIGNMENT)
        return ip_no_memory(bytes);
    char *block = ip_calloc(1, bytes + ALIGNMENT);
    if (!block)
        return IPOS_ERR_NO_MEMORY;
    *storage = (ip_storage){.base = block + (ALIGNMENT - (uintptr_t)block % ALIGNMENT) % ALIGNMENT, .bytes = bytes, .pool = -1,
        .release = free_plain, .user = block};
    return IPOS_OK;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int32_t ip_sampled(int32_t start, int32_t size, int32_t sampling)
{
    int64_t last = floor_div((int64_t)start + size - 1, sampling), before = floor_div((int64_t)start - 1, sampling);
    return (int32_t)(last - before);
}

static ipos_status check_box(const char *what, const ipos_box *box)
{
    if (box->width < 1 || box->height < 1 || (int64_t)box->x + box->width > INT32_MAX || (int64_t)box->y + box->height > INT32_MAX)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s window %d,%d %dx%d: width and height must be at least 1 and the far corner below 2^31", what,
            box->x, box->y, box->width, box->height);
    return IPOS_OK;
}

static ipos_status check_channel(const ipos_channel *channel)
{
    if (!channel->name || !*channel->name || strlen(channel->name) > MAX_NAME || !ip_utf8_ok(channel->name))
        return ip_fail(IPOS_ERR_ARGUMENT, "a channel's name must be 1 to %d bytes of UTF-8", MAX_NAME);
    if (!ip_sample_bytes(channel->sample_type))
        return ip_fail(IPOS_ERR_ARGUMENT, "channel \"%s\": %d is not a sample type; use IPOS_U8 ... IPOS_U32", channel->name, channel->sample_type);
    if (channel->x_sampling < 0 || channel->y_sampling < 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "channel \"%s\": sampling %d,%d must not be negative", channel->name, channel->x_sampling,
            channel->y_sampling);
    return IPOS_OK;
}

/* Everything but the samples. */
static ipos_status make_shell(const ipos_box *data_window, const ipos_box *display_window, const ipos_channel *channels, size_t count,
    ipos_frame **out)
{
    IP_TRY(check_box("data", data_window));
    if (display_window)
        IP_TRY(check_box("display", display_window));
    if (count < 1 || count > MAX_CHANNELS)
        return ip_fail(IPOS_ERR_ARGUMENT, "%zu channels: a frame has 1 to %d", count, MAX_CHANNELS);
    ipos_frame *frame = ip_calloc(1, sizeof *frame);
    if (!frame)
        return IPOS_ERR_NO_MEMORY;
    atomic_init(&frame->refs, 1);
    frame->data_window = *data_window;
    frame->display_window = display_window ? *display_window : *data_window;
    frame->storage.pool = -1;
    frame->encoding = ip_strdup("");
    frame->channels = ip_calloc(count, sizeof frame->channels[0]);
    ipos_status status = frame->encoding && frame->channels ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count && status == IPOS_OK; i++) {
        status = check_channel(&channels[i]);
        if (status == IPOS_OK && ipos_frame_find_channel(frame, channels[i].name) >= 0)
            status = ip_fail(IPOS_ERR_ARGUMENT, "channel \"%s\" is there twice; give every channel its own name", channels[i].name);
        if (status != IPOS_OK)
            break;
        ip_channel *c = &frame->channels[i];
        c->type = channels[i].sample_type;
        c->xs = IP_MAX(channels[i].x_sampling, 1);
        c->ys = IP_MAX(channels[i].y_sampling, 1);
        c->width = ip_sampled(data_window->x, data_window->width, c->xs);
        c->height = ip_sampled(data_window->y, data_window->height, c->ys);
        c->name = ip_strdup(channels[i].name);
        if (!c->name)
            status = IPOS_ERR_NO_MEMORY;
        else
            frame->channel_count++;
    }
    if (status != IPOS_OK) {
        ipos_frame_release(frame);
        return status;
    }
    *out = frame;
    return IPOS_OK;
}

/* Lays the planes out one after the other; data holds offsets until there is a base. */
static bool lay_out(ipos_frame *frame, size_t *total)
{
    *total = 0;
    for (size_t i = 0; i < frame->channel_count; i++) {
        ip_channel *c = &frame->channels[i];
        size_t bytes = ip_sample_bytes(c->type), row, plane;
        row = ((size_t)c->width * bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        c->pixel_stride = (ptrdiff_t)bytes;
        c->row_stride = (ptrdiff_t)row;
        c->data = (uint8_t *)(uintptr_t)*total;
        if (__builtin_mul_overflow(row, (size_t)c->height, &plane) || __builtin_add_overflow(*total, plane, total) || *total > PTRDIFF_MAX / 2)
            return false;
    }
    return true;
}

ipos_status ip_frame_new(const ipos_box *data_window, const ipos_box *display_window, const ipos_channel *channels, size_t count,
    ip_storage_fn make, void *user, ipos_frame **out)
{
    ipos_frame *frame;
    size_t total;
    *out = NULL;
    IP_TRY(make_shell(data_window, display_window, channels, count, &frame));
    ipos_status status;
    if (!lay_out(frame, &total))
        status = ip_fail(IPOS_ERR_NO_MEMORY, "a frame of %dx%d with %zu channels is larger than any memory", data_window->width,
            data_window->height, count);
    else
        status = (make ? make : make_plain)(user, IP_MAX(total, (size_t)ALIGNMENT), &frame->storage);
    if (status != IPOS_OK) {
        frame->storage.release = NULL;
        ipos_frame_release(frame);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        frame->channels[i].data = (uint8_t *)frame->storage.base + (uintptr_t)frame->channels[i].data;
    *out = frame;
    return IPOS_OK;
}

typedef struct foreign {
    void (*done)(void *user);
    void *user;
} foreign;

static void release_foreign(ip_storage *storage, void *user)
{
    (void)storage;
    foreign *f = user;
    if (f->done)
        f->done(f->user);
    ip_free(f);
}

ipos_status ip_frame_over(const ipos_box *data_window, const ipos_box *display_window, const ipos_channel *channels,
    const ipos_plane *planes, size_t count, void (*done)(void *), void *user, ipos_frame **out)
{
    ipos_frame *frame;
    *out = NULL;
    IP_TRY(make_shell(data_window, display_window, channels, count, &frame));
    for (size_t i = 0; i < count; i++) {
        ip_channel *c = &frame->channels[i];
        if (!planes[i].data && c->width > 0 && c->height > 0) {
            ipos_status status = ip_fail(IPOS_ERR_ARGUMENT, "channel \"%s\": its plane has no data; give the address of its first sample", c->name);
            ipos_frame_release(frame);
            return status;
        }
        c->data = planes[i].data;
        c->row_stride = planes[i].row_stride;
        c->pixel_stride = planes[i].pixel_stride;
    }
    foreign *f = ip_alloc(sizeof *f);
    if (!f) {
        ipos_frame_release(frame);
        return IPOS_ERR_NO_MEMORY;
    }
    *f = (foreign){done, user};
    frame->storage.release = release_foreign;
    frame->storage.user = f;
    *out = frame;
    return IPOS_OK;
}

ipos_status ip_frame_like(const ipos_frame *model, int32_t type, ip_storage_fn make, void *user, ipos_frame **out)
{
    *out = NULL;
    ipos_channel *channels = ip_calloc(model->channel_count, sizeof *channels);
    if (!channels)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < model->channel_count; i++) {
        const ip_channel *c = &model->channels[i];
        channels[i] = (ipos_channel){c->name, type && c->type != IPOS_U32 ? type : c->type, c->xs, c->ys};
    }
    ipos_frame *frame;
    ipos_status status = ip_frame_new(&model->data_window, &model->display_window, channels, model->channel_count, make, user, &frame);
    ip_free(channels);
    IP_TRY(status);
    char *encoding = ip_strdup(model->encoding);
    status = encoding ? ip_frame_copy_attributes(frame, model) : IPOS_ERR_NO_MEMORY;
    if (status != IPOS_OK) {
        ip_free(encoding);
        ipos_frame_release(frame);
        return status;
    }
    ip_free(frame->encoding);
    frame->encoding = encoding;
    *out = frame;
    return IPOS_OK;
}

static bool packed(const ip_channel *c)
{
    return c->pixel_stride == (ptrdiff_t)ip_sample_bytes(c->type);
}

ipos_status ip_frame_copy_pixels(ipos_frame *to, const ipos_frame *from)
{
    bool same = to->channel_count == from->channel_count;
    for (size_t i = 0; same && i < to->channel_count; i++) {
        const ip_channel *a = &to->channels[i], *b = &from->channels[i];
        same = a->type == b->type && a->width == b->width && a->height == b->height;
    }
    if (!same)
        return ip_fail(IPOS_ERR_ARGUMENT, "pixels can be copied only between frames of the same channels, types and sizes");
    for (size_t i = 0; i < to->channel_count; i++)
        ip_channel_copy(&to->channels[i], &from->channels[i]);
    return IPOS_OK;
}

void ip_channel_copy(const ip_channel *to, const ip_channel *from)
{
    size_t bytes = ip_sample_bytes(from->type), width = (size_t)from->width;
    for (int32_t y = 0; y < from->height; y++) {
        const uint8_t *source = from->data + y * from->row_stride;
        uint8_t *target = to->data + y * to->row_stride;
        if (packed(from))
            ip_samples_scatter(bytes, source, target, to->pixel_stride, width);
        else if (packed(to))
            ip_samples_gather(bytes, source, from->pixel_stride, target, width);
        else
            for (size_t x = 0; x < width; x++, source += from->pixel_stride, target += to->pixel_stride)
                memcpy(target, source, bytes);
    }
}

static void hash_number(ip_sha256 *hash, int64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    ip_sha256_add(hash, bytes, 8);
}

static bool hash_samples(ip_sha256 *hash, const ip_channel *c)
{
    size_t bytes = ip_sample_bytes(c->type), size = bytes * (size_t)c->width;
    uint8_t *row = packed(c) ? NULL : ip_alloc(size);
    if (!row && !packed(c))
        return false;
    bool ok = true;
    for (int32_t y = 0; y < c->height && ok; y++) {
        const uint8_t *samples = c->data + y * c->row_stride;
        if (row) {
            ip_samples_gather(bytes, samples, c->pixel_stride, row, (size_t)c->width);
            samples = row;
        }
        ok = ip_sha256_add(hash, samples, size);
    }
    ip_free(row);
    return ok;
}

bool ip_frame_hash(const ipos_frame *frame, char hex[65])
{
    hex[0] = 0;
    ip_sha256 *hash = ip_sha256_new();
    if (!hash)
        return false;
    const ipos_box boxes[] = {frame->data_window, frame->display_window};
    for (size_t i = 0; i < IP_COUNT(boxes); i++) {
        hash_number(hash, boxes[i].x);
        hash_number(hash, boxes[i].y);
        hash_number(hash, boxes[i].width);
        hash_number(hash, boxes[i].height);
    }
    bool ok = true;
    for (size_t i = 0; i < frame->channel_count && ok; i++) {
        const ip_channel *c = &frame->channels[i];
        ip_sha256_add(hash, c->name, strlen(c->name) + 1);
        hash_number(hash, c->type);
        hash_number(hash, c->xs);
        hash_number(hash, c->ys);
        ok = hash_samples(hash, c);
    }
    char sum[65];
    ok = ip_sha256_end(hash, sum) && ok;
    if (ok)
        memcpy(hex, sum, sizeof sum);
    return ok;
}
