/* One way through a shot for all measurements. */
#include "look_op.h"

#include "flicker.h"
#include "vignette.h"
#include "white.h"

enum { FULL = 1, SMALL = 2 };
static const uint64_t SMALL_WITHOUT_LIMIT = 256u << 20;

static void mark(uint8_t *wanted, const size_t *at, size_t count, uint8_t how) {
    for (size_t i = 0; i < count; i++)
        wanted[at[i]] |= how;
}

static void mark_all(const ip_shot *shot, const il_view *singles, uint8_t *wanted) {
    static size_t (*const compared[])(size_t, size_t[IP_LOOK_FRAMES]) = {ip_vignette_frames, ip_flicker_frames, ip_white_frames};
    size_t at[IP_LOOK_FRAMES], grain[IP_GRAIN_FRAMES];
    mark(wanted, singles->at, singles->count, FULL);
    mark(wanted, grain, ip_grain_frames(shot->count, grain), FULL);
    for (size_t i = 0; i < IP_COUNT(compared); i++)
        mark(wanted, at, compared[i](shot->count, at), SMALL);
}

static uint64_t bytes_of(const ip_image3 *image) {
    return 3 * sizeof(float) * (uint64_t)image->c[0].stride * (uint64_t)image->c[0].height;
}

/* What is wanted as it is stays among the shot's frames, while there is room; what is wanted small only goes first. */
static ipos_status keep(ip_shot *shot, size_t index, uint8_t how, uint64_t *left, il_small *out) {
    ipos_frame *frame;
    ip_image3 image;
    if (how & SMALL && *left) {
        IP_TRY(ip_look_fetch(&out->whole, index, IP_LOOK_SMALL, &image));
        if (bytes_of(&image) <= *left) {
            *left -= bytes_of(&image);
            out->image[index] = image;
        } else {
            *left = 0;
            ip_image3_free(&image);
        }
    }
    if (how & FULL)
        return ip_clip_frame(&shot->clip, shot->numbers[index], &frame);
    ip_clip_spare(&shot->clip, shot->numbers[index]);
    return IPOS_OK;
}

ipos_status il_gather(ip_shot *shot, const ip_look_source *whole, const il_view *singles, il_small *out) {
    const uint64_t limit = shot->clip.host->memory_limit;
    uint64_t left = limit ? limit / 8 : SMALL_WITHOUT_LIMIT;
    uint8_t *wanted = ip_calloc(shot->count, sizeof *wanted);
    *out = (il_small){.whole = *whole, .image = ip_calloc(shot->count, sizeof *out->image)};
    ipos_status status = wanted && out->image ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        mark_all(shot, singles, wanted);
    for (size_t i = 0; i < shot->count && status == IPOS_OK; i++)
        if (wanted[i])
            status = keep(shot, i, wanted[i], &left, out);
    ip_free(wanted);
    return status;
}

void il_small_free(il_small *small) {
    for (size_t i = 0; small->image && i < small->whole.count; i++)
        ip_image3_free(&small->image[i]);
    ip_free(small->image);
    *small = (il_small){0};
}

static ipos_status fetch(void *user, size_t index, const ip_image3 *to) {
    const il_small *small = user;
    const ip_image3 *from = &small->image[index];
    ip_image3 made = {0};
    ipos_status status = IPOS_OK;
    if (!from->c[0].data) {
        status = ip_look_fetch(&small->whole, index, IP_LOOK_SMALL, &made);
        from = &made;
    }
    for (int c = 0; c < 3 && status == IPOS_OK; c++) {
        ip_plane_f plane = to->c[c];
        ip_plane_copy(&plane, &from->c[c]);
    }
    ip_image3_free(&made);
    return status;
}

ip_look_source il_small_source(il_small *small) {
    ip_look_source source = small->whole;
    while (source.width > IP_LOOK_SMALL) {
        source.width = (source.width + 1) / 2;
        source.height = (source.height + 1) / 2;
    }
    source.fetch = fetch;
    source.user = small;
    return source;
}
