#include "frame_message.h"

#include <pthread.h>

typedef struct loan {
    uint64_t offset;
    ipos_frame *frame;   /* or */
    ip_storage storage;
} loan;

struct ip_loans {
    pthread_mutex_t lock;
    loan *list;
    size_t count, room;
};

ipos_status ip_loans_new(ip_loans **out)
{
    *out = ip_calloc(1, sizeof **out);
    if (!*out)
        return IPOS_ERR_NO_MEMORY;
    pthread_mutex_init(&(*out)->lock, NULL);
    return IPOS_OK;
}

static void drop(loan *entry)
{
    if (entry->frame)
        ipos_frame_release(entry->frame);
    else if (entry->storage.release)
        entry->storage.release(&entry->storage, entry->storage.user);
}

void ip_loans_free(ip_loans *loans)
{
    if (!loans)
        return;
    for (size_t i = 0; i < loans->count; i++)
        drop(loans->list + i);
    pthread_mutex_destroy(&loans->lock);
    ip_free(loans->list);
    ip_free(loans);
}

size_t ip_loans_count(ip_loans *loans)
{
    pthread_mutex_lock(&loans->lock);
    size_t count = loans->count;
    pthread_mutex_unlock(&loans->lock);
    return count;
}

ipos_status ip_loans_return(ip_loans *loans, uint64_t offset)
{
    loan found = {0};
    bool lent = false;
    pthread_mutex_lock(&loans->lock);
    for (size_t i = 0; i < loans->count && !lent; i++) {
        if (loans->list[i].offset != offset)
            continue;
        found = loans->list[i];
        loans->list[i] = loans->list[--loans->count];
        lent = true;
    }
    pthread_mutex_unlock(&loans->lock);
    if (!lent)
        return ip_fail(IPOS_ERR_FORMAT, "release: nothing at %llu was lent", (unsigned long long)offset);
    drop(&found);
    return IPOS_OK;
}

static ipos_status add(ip_loans *loans, loan entry)
{
    ipos_status status = IPOS_OK;
    pthread_mutex_lock(&loans->lock);
    if (loans->count == loans->room) {
        size_t room = loans->room ? 2 * loans->room : 16;
        loan *list = ip_realloc(loans->list, room * sizeof *list);
        if (list) {
            loans->list = list;
            loans->room = room;
        } else {
            status = IPOS_ERR_NO_MEMORY;
        }
    }
    if (status == IPOS_OK)
        loans->list[loans->count++] = entry;
    pthread_mutex_unlock(&loans->lock);
    return status;
}

static json_t *block_json(const ip_storage *storage)
{
    return json_pack("{s:i,s:I,s:I}", "pool", storage->pool, "offset", (json_int_t)storage->offset, "bytes", (json_int_t)storage->bytes);
}

static json_t *box_json(const ipos_box *box)
{
    return json_pack("[i,i,i,i]", box->x, box->y, box->width, box->height);
}

/* First and last byte of a channel's samples, from its data pointer. */
static bool inside(const ip_channel *channel, const ip_storage *storage)
{
    const uint8_t *base = storage->base, *first = channel->data, *last = channel->data;
    ptrdiff_t down = (ptrdiff_t)(channel->height - 1) * channel->row_stride, across = (ptrdiff_t)(channel->width - 1) * channel->pixel_stride;
    first += IP_MIN(down, 0) + IP_MIN(across, 0);
    last += IP_MAX(down, 0) + IP_MAX(across, 0) + ip_sample_bytes(channel->type);
    return channel->width <= 0 || channel->height <= 0 || (first >= base && last <= base + storage->bytes);
}

static bool shared(const ipos_frame *frame, const ip_pool *pool)
{
    if (!ip_pool_owns(pool, &frame->storage))
        return false;
    for (size_t i = 0; i < frame->channel_count; i++)
        if (!inside(frame->channels + i, &frame->storage))
            return false;
    return true;
}

static json_t *describe(const ipos_frame *frame)
{
    json_t *channels = json_array();
    for (size_t i = 0; i < frame->channel_count; i++) {
        const ip_channel *channel = frame->channels + i;
        json_array_append_new(channels, json_pack("{s:o,s:i,s:i,s:i,s:I,s:I,s:I}", "name", ip_json_from_text(channel->name), "type",
            channel->type, "xs", channel->xs, "ys", channel->ys, "offset",
            (json_int_t)(channel->data - (const uint8_t *)frame->storage.base), "row", (json_int_t)channel->row_stride, "pixel",
            (json_int_t)channel->pixel_stride));
    }
    if (json_array_size(channels) != frame->channel_count) {
        json_decref(channels);
        return NULL;
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "block", block_json(&frame->storage), "data", box_json(&frame->data_window), "display",
        box_json(&frame->display_window), "encoding", ip_json_from_text(frame->encoding), "channels", channels);
}

ipos_status ip_frame_lend(ipos_frame *frame, ip_pool *pool, ip_loans *loans, json_t **out)
{
    ipos_frame *lent = frame;
    *out = NULL;
    if (shared(frame, pool)) {
        ipos_frame_retain(lent);
    } else {
        IP_TRY(ip_frame_like(frame, 0, ip_pool_storage, pool, &lent));
        ipos_status copied = ip_frame_copy_pixels(lent, frame);
        if (copied != IPOS_OK) {
            ipos_frame_release(lent);
            return copied;
        }
    }
    json_t *json = describe(lent);
    ipos_status status = json ? add(loans, (loan){lent->storage.offset, lent, {0}}) : ip_no_memory(1024);
    if (status != IPOS_OK) {
        json_decref(json);
        ipos_frame_release(lent);
        return status;
    }
    *out = json;
    return IPOS_OK;
}

ipos_status ip_bytes_lend(const void *bytes, size_t size, ip_pool *pool, ip_loans *loans, json_t **out)
{
    ip_storage storage;
    *out = NULL;
    IP_TRY(ip_pool_storage(pool, size, &storage));
    memcpy(storage.base, bytes, size);
    json_t *json = block_json(&storage);
    ipos_status status = json ? add(loans, (loan){storage.offset, NULL, storage}) : ip_no_memory(256);
    if (status != IPOS_OK) {
        json_decref(json);
        storage.release(&storage, storage.user);
        return status;
    }
    *out = json;
    return IPOS_OK;
}
