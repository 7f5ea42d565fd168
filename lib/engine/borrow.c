#include "frame_message.h"

#include <stdlib.h>

enum {
    MAX_CHANNELS = 1024,
    MAX_SIDE = 1 << 20,   /* pixels */
    MAX_SAMPLING = 1 << 12
};

/* What must be undone when a borrowed frame goes. */
typedef struct borrowed {
    ip_lender lender;
    void *view;
    uint64_t offset, bytes;
    bool accepted; /* else the frame goes because it was found wrong */
} borrowed;

static ipos_status block_of(const json_t *json, const ip_lender *lender, uint64_t *offset, uint64_t *bytes)
{
    json_t *block;
    int64_t pool, at, size; /* pool: checked only */
    IP_TRY(ip_json_member(json, "block", JSON_OBJECT, &block));
    IP_TRY(ip_json_int(block, "pool", lender->pool, lender->pool, &pool));
    IP_TRY(ip_json_int(block, "offset", 0, INT64_MAX, &at));
    IP_TRY(ip_json_int(block, "bytes", 1, INT64_MAX / 4, &size));
    *offset = (uint64_t)at;
    *bytes = (uint64_t)size;
    return IPOS_OK;
}

static ipos_status box_of(const json_t *json, const char *name, ipos_box *box)
{
    json_t *array;
    int64_t value[4];
    IP_TRY(ip_json_member(json, name, JSON_ARRAY, &array));
    for (size_t i = 0; i < 4; i++)
        IP_TRY(ip_json_int_at(array, i, i < 2 ? INT32_MIN / 2 : 1, i < 2 ? INT32_MAX / 2 : MAX_SIDE, value + i));
    *box = (ipos_box){(int32_t)value[0], (int32_t)value[1], (int32_t)value[2], (int32_t)value[3]};
    return IPOS_OK;
}

/* One channel; its plane points where the message says, which is checked once the frame knows the plane's size. */
static ipos_status channel_of(const json_t *json, uint64_t bytes, uint8_t *base, ipos_channel *channel, ipos_plane *plane)
{
    int64_t type, xs, ys, offset, row, pixel;
    int64_t reach = (int64_t)IP_MIN(bytes, (uint64_t)1 << 46);
    IP_TRY(ip_json_text(json, "name", &channel->name));
    IP_TRY(ip_json_int(json, "type", IPOS_U8, IPOS_U32, &type));
    IP_TRY(ip_json_int(json, "xs", 1, MAX_SAMPLING, &xs));
    IP_TRY(ip_json_int(json, "ys", 1, MAX_SAMPLING, &ys));
    IP_TRY(ip_json_int(json, "offset", 0, reach, &offset));
    IP_TRY(ip_json_int(json, "row", -reach, reach, &row));
    IP_TRY(ip_json_int(json, "pixel", -reach, reach, &pixel));
    int64_t sample = (int64_t)ip_sample_bytes((int32_t)type);
    if (sample == 0 || offset % sample || row % sample || pixel % sample)
        return ip_fail(IPOS_ERR_FORMAT, "frame: channel %s: offsets are not multiples of a sample", channel->name);
    channel->sample_type = (int32_t)type;
    channel->x_sampling = (int32_t)xs;
    channel->y_sampling = (int32_t)ys;
    *plane = (ipos_plane){base + offset, (ptrdiff_t)row, (ptrdiff_t)pixel};
    return IPOS_OK;
}

/* How far count - 1 steps lead; false if that is more than the block holds. */
static bool span(int64_t step, int64_t count, int64_t bytes, int64_t *out)
{
    if (count > 1 && llabs(step) > bytes / (count - 1))
        return false;
    *out = step * (count - 1);
    return true;
}

/* Every sample lies in the block. */
static bool within(const ip_channel *channel, const uint8_t *base, uint64_t bytes)
{
    int64_t size = (int64_t)bytes, down, across, first = channel->data - base, last = first;
    if (channel->width <= 0 || channel->height <= 0)
        return true;
    if (!span(channel->row_stride, channel->height, size, &down) || !span(channel->pixel_stride, channel->width, size, &across))
        return false;
    first += IP_MIN(down, 0) + IP_MIN(across, 0);
    last += IP_MAX(down, 0) + IP_MAX(across, 0) + (int64_t)ip_sample_bytes(channel->type);
    return first >= 0 && last <= size;
}

static void give_back(void *user)
{
    borrowed *loan = user;
    if (!loan->accepted)
        return;
    ip_block_unmap(loan->view, loan->bytes);
    loan->lender.returned(loan->lender.user, loan->offset);
    loan->lender.release(loan->lender.user);
    ip_free(loan);
}

/* out: a frame that is not yet accepted, or NULL. */
static ipos_status build(const json_t *json, borrowed *loan, ipos_frame **out)
{
    ipos_box data, display;
    json_t *list;
    const char *encoding;
    IP_TRY(box_of(json, "data", &data));
    IP_TRY(box_of(json, "display", &display));
    IP_TRY(ip_json_text(json, "encoding", &encoding));
    IP_TRY(ip_json_member(json, "channels", JSON_ARRAY, &list));
    size_t count = json_array_size(list);
    if (count < 1 || count > MAX_CHANNELS)
        return ip_fail(IPOS_ERR_FORMAT, "frame: %zu channels, expected 1 to %d", count, MAX_CHANNELS);
    ipos_channel *channels = ip_calloc(count, sizeof *channels);
    ipos_plane *planes = ip_calloc(count, sizeof *planes);
    char *name = ip_strdup(encoding);
    ipos_status status = channels && planes && name ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count && status == IPOS_OK; i++)
        status = channel_of(json_array_get(list, i), loan->bytes, loan->view, channels + i, planes + i);
    if (status == IPOS_OK)
        status = ip_frame_over(&data, &display, channels, planes, count, give_back, loan, out);
    ip_free(channels);
    ip_free(planes);
    if (!*out) {
        ip_free(name);
        return status;
    }
    ip_free((*out)->encoding);
    (*out)->encoding = name;
    for (size_t i = 0; i < (*out)->channel_count && status == IPOS_OK; i++)
        if (!within((*out)->channels + i, loan->view, loan->bytes))
            status = ip_fail(IPOS_ERR_FORMAT, "frame: channel %s reaches out of its block", (*out)->channels[i].name);
    return status;
}

ipos_status ip_frame_borrow(const json_t *json, const ip_lender *lender, ipos_frame **out)
{
    *out = NULL;
    borrowed *loan = ip_calloc(1, sizeof *loan);
    if (!loan)
        return IPOS_ERR_NO_MEMORY;
    loan->lender = *lender;
    ipos_status status = block_of(json, lender, &loan->offset, &loan->bytes);
    if (status == IPOS_OK)
        status = ip_block_map(lender->fd, loan->offset, loan->bytes, &loan->view);
    if (status == IPOS_OK)
        status = build(json, loan, out);
    if (status == IPOS_OK) {
        loan->accepted = true;
        lender->retain(lender->user);
        return IPOS_OK;
    }
    ipos_frame_release(*out);
    *out = NULL;
    ip_block_unmap(loan->view, loan->bytes);
    ip_free(loan);
    return status;
}

ipos_status ip_bytes_borrow(const json_t *json, const ip_lender *lender, ip_borrowed_bytes *out)
{
    *out = (ip_borrowed_bytes){0};
    ip_borrowed_bytes bytes = {0};
    IP_TRY(block_of(json, lender, &bytes.offset, &bytes.size));
    IP_TRY(ip_block_map(lender->fd, bytes.offset, bytes.size, &bytes.view));
    *out = bytes;
    return IPOS_OK;
}

void ip_bytes_return(ip_borrowed_bytes *bytes, const ip_lender *lender)
{
    if (!bytes->view)
        return;
    ip_block_unmap(bytes->view, bytes->size);
    lender->returned(lender->user, bytes->offset);
    *bytes = (ip_borrowed_bytes){0};
}
