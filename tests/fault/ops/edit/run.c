/* Changes frames, reads other clips beside, and lies about it if asked to. */
#include "op.h"
#include <jansson.h>
#include <stdlib.h>

extern const ip_op_spec ip_op_edit_spec;
extern const ip_op ip_op_edit;

typedef struct tally {
    int served, lacking;
} tally;

static bool lies(const ip_op_host *host, const char *how)
{
    return strcmp(ip_options_text(host->options, "lie"), how) == 0;
}

/* Every bit of the box, counted from the data window's corner. */
static void invert(ipos_frame *frame, const int box[4])
{
    for (size_t c = 0; c < frame->channel_count; c++) {
        ip_channel *channel = &frame->channels[c];
        const size_t bytes = ip_sample_bytes(channel->type);
        for (int y = box[1]; y < IP_MIN(box[1] + box[3], channel->height); y++)
            for (int x = box[0]; x < IP_MIN(box[0] + box[2], channel->width); x++) {
                uint8_t *at = channel->data + y * channel->row_stride + x * channel->pixel_stride;
                if (channel->type == IPOS_U8 || channel->type == IPOS_U16)
                    for (size_t i = 0; i < bytes; i++)
                        at[i] = (uint8_t)~at[i];
                else
                    at[bytes - 1] ^= 0x80; /* the sign */
            }
    }
}

static ipos_status map_of(ip_op_host *host, const ipos_frame *frame, const int box[4], ipos_frame **out)
{
    static const ipos_channel channels[] = {{"confidence", IPOS_F32, 1, 1}, {"evidence", IPOS_F32, 1, 1}, {"matte", IPOS_F32, 1, 1},
        {"matte.shadow", IPOS_F32, 1, 1}};
    static const float values[] = {1, 3, 0.5f, 0.25f};

    IP_TRY(host->frame_new(host, &frame->data_window, channels, 4, out));
    for (int c = 0; c < 4; c++) {
        ip_channel *channel = &(*out)->channels[ipos_frame_find_channel(*out, channels[c].name)];
        for (int y = 0; y < channel->height; y++)
            for (int x = 0; x < channel->width; x++) {
                const bool inside = x >= box[0] && y >= box[1] && x < box[0] + box[2] && y < box[1] + box[3];
                const float value = inside || c == 0 ? values[c] : 0;
                memcpy(channel->data + y * channel->row_stride + x * channel->pixel_stride, &value, sizeof value);
            }
    }
    return IPOS_OK;
}

static ipos_status give(ip_op_host *host, ipos_rational time, const ipos_frame *source, ipos_frame *picture)
{
    static const int corner[4] = {0, 0, 1, 1};
    ipos_frame *map = NULL;
    int box[4] = {0};

    sscanf(ip_options_text(host->options, "box"), "%d,%d,%d,%d", box, box + 1, box + 2, box + 3);
    IP_TRY(ip_frame_copy_pixels(picture, source));
    invert(picture, box);
    if (lies(host, "outside"))
        invert(picture, corner);
    if (lies(host, "window"))
        picture->data_window.x++;
    if (lies(host, "unasked"))
        time.num--;
    if (lies(host, "half"))
        time = (ipos_rational){2 * time.num + 1, 2};
    IP_TRY(map_of(host, source, box, &map));
    ipos_status status = host->emit(host, "inverted", time, 0.75, picture, lies(host, "bare") ? NULL : map);
    ipos_frame_release(map);
    return status;
}

static ipos_status change_one(ip_op_host *host, ipos_rational time)
{
    ipos_frame *source, *picture = NULL;

    IP_TRY(host->fetch(host, 0, time.num - lies(host, "unread"), &source));
    ipos_status status = host->frame_like(host, source, 0, &picture);
    if (status == IPOS_OK)
        status = give(host, time, source, picture);
    ipos_frame_release(source);
    ipos_frame_release(picture);
    return status;
}

static ipos_status read_others(ip_op_host *host, int64_t number, tally *tallies)
{
    for (size_t i = 1; i < host->clip_count; i++) {
        ipos_frame *frame;
        ipos_status status = host->fetch(host, i, number, &frame);
        if (status != IPOS_OK && status != IPOS_ERR_NOT_FOUND)
            return status;
        tallies[i].served += status == IPOS_OK;
        tallies[i].lacking += status != IPOS_OK;
        if (status == IPOS_OK)
            ipos_frame_release(frame);
    }
    return IPOS_OK;
}

static ipos_status tell(ip_op_host *host, const tally *tallies)
{
    const char *strokes = ip_options_text(host->options, "strokes");
    json_t *clips = json_array(), *drawn = *strokes ? json_loads(strokes, 0, NULL) : json_object();

    for (size_t i = 0; i < host->clip_count; i++) {
        const ip_op_clip *clip = &host->clips[i];
        json_array_append_new(clips, json_pack("{s:s,s:s,s:s,s:b,s:I,s:I,s:i,s:i}", "name", clip->name, "role", clip->role, "encoding", clip->encoding,
            "may_train", clip->may_train, "first", (json_int_t)clip->first, "last", (json_int_t)clip->last, "served", tallies[i].served, "lacking",
            tallies[i].lacking));
    }
    const json_int_t first = host->times[0].num;
    json_object_set_new(drawn, "clips", clips);
    if (*strokes)
        json_object_set_new(drawn, "lost", json_pack("[{s:s,s:I,s:I}]", "wire", "left", "first", first, "last", first + 2));
    char *text = json_dumps(drawn, JSON_COMPACT);
    json_decref(drawn);
    ipos_status status = host->variant(host, "inverted", "Inverted", 0, -1, text);
    free(text);
    return status;
}

static ipos_status run(ip_op_host *host)
{
    tally *tallies = ip_calloc(host->clip_count, sizeof *tallies);
    ipos_status status = tallies ? IPOS_OK : IPOS_ERR_NO_MEMORY;

    for (size_t i = 0; i < host->time_count && status == IPOS_OK; i++) {
        status = host->progress(host, (double)i / (double)host->time_count, "editing", "");
        if (status == IPOS_OK)
            status = read_others(host, host->times[i].num, tallies);
        if (status == IPOS_OK)
            status = change_one(host, host->times[i]);
    }
    if (status == IPOS_OK)
        status = tell(host, tallies);
    ip_free(tallies);
    return status;
}

const ip_op ip_op_edit = {.spec = &ip_op_edit_spec, .run = run};
