/* A stream of messages between library and engine, and the frames they describe, over a pool of one page. */
#include "frame_message.h"
#include "fuzz.h"
#include <unistd.h>

enum { POOL_BYTES = 1 << 16 };

static int pool = -1;
static long borrowed;

static void returned(void *user, uint64_t offset) {
    (void)user, (void)offset;
    borrowed--;
}

static void nothing(void *user) {
    (void)user;
}

/* Every sample's first and last byte: what the description allows must be there. */
static void touch(const ipos_frame *frame) {
    for (size_t i = 0; i < frame->channel_count; i++) {
        const ip_channel *c = &frame->channels[i];
        const size_t size = ip_sample_bytes(c->type);
        for (int32_t corner = 0; corner < 4 && c->width > 0 && c->height > 0; corner++) {
            const volatile uint8_t *at = c->data + (corner & 1 ? (c->height - 1) * c->row_stride : 0) + (corner & 2 ? (c->width - 1) * c->pixel_stride : 0);
            (void)(at[0] + at[size - 1]);
        }
    }
}

static void borrow(const json_t *body) {
    const ip_lender lender = {.pool = 1, .fd = pool, .returned = returned, .retain = nothing, .release = nothing};
    static const char *const names[] = {"frame", "evidence"};
    ip_borrowed_bytes bytes;
    for (size_t i = 0; i < IP_COUNT(names); i++) {
        ipos_frame *frame = NULL;
        const json_t *member = json_object_get(body, names[i]);
        if (member && ip_frame_borrow(member, &lender, &frame) == IPOS_OK) {
            borrowed++;
            touch(frame);
            ipos_frame_release(frame);
        }
    }
    const json_t *block = json_object_get(body, "block");
    if (block && ip_bytes_borrow(block, &lender, &bytes) == IPOS_OK) {
        borrowed++;
        const volatile uint8_t *at = bytes.view;
        if (bytes.size)
            (void)(at[0] + at[bytes.size - 1]);
        ip_bytes_return(&bytes, &lender);
    }
    if (borrowed != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (pool < 0 && (ip_pool_file(&pool) != IPOS_OK || ftruncate(pool, POOL_BYTES) != 0))
        return 0;
    while (size > 0) {
        ip_message message = {0};
        size_t used = 0;
        if (ip_message_parse(data, size, &message, &used) != IPOS_OK || used == 0)
            return 0;
        borrow(message.body);
        ip_message_clear(&message);
        data += used;
        size -= used;
    }
    return 0;
}
