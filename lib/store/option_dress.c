/* Pictures of options with the metadata of their source: for one that is made the nearest frame, for one that is changed itself. */
#include "catalogue.h"

/* Attributes of frame number, if it may be used: it exists, was not itself asked to be made, and can be read. */
static bool take_source(ip_option_writer *writer, int64_t number, int *tries)
{
    ipos_frame *frame;

    if (number < writer->clip.first || number > writer->clip.last || ip_frames_ask(writer->frames, number))
        return false;
    if (writer->attributes && writer->nearest == number)
        return true;
    (*tries)++;
    if (ip_store_source_frame(writer->store, writer->clip.name, number, &frame) != IPOS_OK)
        return false;
    ipos_frame_release(writer->attributes);
    writer->attributes = frame;
    writer->nearest = number;
    return true;
}

/* From the nearest frame outwards; of two as near the earlier one. */
static void nearest_source(ip_option_writer *writer, ipos_rational time)
{
    int64_t below = time.num / time.den - (time.num % time.den < 0), above = below + 1;
    int tries = 0;

    while (tries < 16 && (below >= writer->clip.first || above <= writer->clip.last)) {
        bool lower = time.num - below * time.den <= above * time.den - time.num;
        if (take_source(writer, lower ? below-- : above++, &tries))
            return;
    }
    ipos_frame_release(writer->attributes);
    writer->attributes = NULL;
}

/* The frame that is changed: its metadata are the picture's, and it is a source whether or not the operation read it. */
static ipos_status own_source(ip_option_writer *writer, ipos_rational time)
{
    const char *clip = writer->clip.name;
    ipos_frame *frame;

    if (time.den != 1)
        return ip_fail(IPOS_ERR_ENGINE, "options: a changed frame at %lld/%lld, expected a whole number", (long long)time.num, (long long)time.den);
    IP_TRY(ip_writer_note(writer, clip, time.num));
    if (writer->attributes && writer->nearest == time.num)
        return IPOS_OK;
    IP_TRY(ip_store_source_frame(writer->store, clip, time.num, &frame));
    ipos_frame_release(writer->attributes);
    writer->attributes = frame;
    writer->nearest = time.num;
    return IPOS_OK;
}

static ipos_status count_timecode(const ip_option_writer *writer, ipos_rational time, ipos_frame *frame)
{
    ipos_timecode timecode;

    if (writer->edits || time.num % time.den != 0 || !writer->attributes || ipos_frame_timecode(frame, &timecode) != IPOS_OK)
        return IPOS_OK;
    timecode = ip_timecode_after(&timecode, time.num / time.den - writer->nearest, writer->clip.rate);
    return ipos_frame_set_timecode(frame, &timecode);
}

ipos_status ip_writer_dress(ip_option_writer *writer, ipos_rational time, const ipos_frame *picture, ipos_frame **out)
{
    size_t n = picture->channel_count;
    ipos_channel *channels = ip_calloc(n, sizeof *channels);
    ipos_plane *planes = ip_calloc(n, sizeof *planes);
    ipos_status status = channels && planes ? IPOS_OK : ip_no_memory(n * 64);

    *out = NULL;
    if (status == IPOS_OK && writer->edits)
        status = own_source(writer, time);
    else
        nearest_source(writer, time);
    for (size_t i = 0; status == IPOS_OK && i < n; i++) {
        const ip_channel *c = &picture->channels[i];
        channels[i] = (ipos_channel){c->name, c->type, c->xs, c->ys};
        planes[i] = (ipos_plane){c->data, c->row_stride, c->pixel_stride};
    }
    if (status == IPOS_OK)
        status = ip_frame_over(&picture->data_window, &picture->display_window, channels, planes, n, NULL, NULL, out);
    if (status == IPOS_OK)
        status = ip_frame_copy_attributes(*out, writer->attributes ? writer->attributes : picture);
    if (status == IPOS_OK)
        status = count_timecode(writer, time, *out);
    if (status == IPOS_OK)
        status = ipos_frame_set_encoding(*out, strcmp(picture->encoding, "data") == 0 ? "data" : writer->clip.encoding);
    ip_free(channels);
    ip_free(planes);
    if (status != IPOS_OK) {
        ipos_frame_release(*out);
        *out = NULL;
    }
    return status;
}


/* What a lossy compression gave is kept bit by bit, which the same compression could not do a second time. */
static ipos_status keep_bits(ipos_frame *frame)
{
    enum { ZIP = 3, B44 = 6 }; /* values of OpenEXR's attribute; the lossy ones are B44 and those after it */
    const ip_attribute *compression = ip_frame_attribute(frame, "compression");
    const uint8_t zip = ZIP;

    if (!compression || compression->size != 1 || compression->bytes[0] < B44)
        return IPOS_OK;
    return ip_frame_put(frame, "compression", "compression", &zip, 1);
}

ipos_status ip_writer_parts(ip_option_writer *writer, ipos_rational time, ipos_frame *dressed, ipos_frame ***parts, size_t *count)
{
    ipos_frame **rest = NULL;

    *parts = NULL;
    *count = 0;
    if (writer->edits)
        IP_TRY(ip_store_source_rest(writer->store, writer->clip.name, time.num, &rest, count));
    ipos_frame **all = ip_calloc(*count + 1, sizeof *all);
    if (!all) {
        ip_frames_free(rest, *count);
        return IPOS_ERR_NO_MEMORY;
    }
    all[0] = dressed;
    ipos_frame_retain(dressed);
    for (size_t i = 0; i < *count; i++)
        all[i + 1] = rest[i];
    ip_free(rest);
    *parts = all;
    ++*count;
    ipos_status status = IPOS_OK;
    for (size_t i = 0; i < *count && writer->edits && status == IPOS_OK; i++)
        status = keep_bits(all[i]);
    return status;
}
