/* The contact sheet: a row a picture. A picture that was made: frame before, picture, frame after, evidence. A frame that was changed:
 * before, after, matte or else the reference, evidence, close to where it changed if that is a small part. A picture drawn for people: itself. */
#include "catalogue.h"
#include "color.h"
#include "curves.h"
#include "review.h"
#include <math.h>

#define SHEET_WIDTH 1600
#define ROWS 8
#define COLUMNS 4
#define GAP 4
#define CELL_MOST ((SHEET_WIDTH - (COLUMNS - 1) * GAP) / COLUMNS)

typedef struct ip_sheet {
    ip_store *store;
    const char *id;
    const json_t *option;
    json_t *frames; /* of the option */
    const char *asked;
    ip_store_clip clip;
    ipos_frame *canvas; /* u8 R,G,B */
    int columns, cell_width, cell_height;
    float *curve; /* of the clip's encoding, for every half; once it was needed */
} ip_sheet;

static uint8_t code(float display)
{
    return (uint8_t)(IP_MIN(IP_MAX(isnan(display) ? 0.0f : display, 0.0f), 1.0f) * 255.0f + 0.5f);
}

/* A sample as a screen shows it, of a picture (encoding given) or a map. */
static float shown(const ip_encoding *encoding, float value)
{
    if (encoding && encoding->kind != IP_ENCODING_DISPLAY && encoding->kind != IP_ENCODING_DATA)
        value = ip_srgb_from_linear(IP_MAX(encoding->to_linear(value), 0.0f));
    return isfinite(value) ? IP_MIN(IP_MAX(value, 0.0f), encoding ? 1.0f : 8.0f) : 0;
}

/* That for all halves, of which there are fewer than samples in a sheet; NULL without memory. */
static const float *curve_of(ip_sheet *sheet, const ip_encoding *encoding)
{
    if (sheet->curve)
        return sheet->curve;
    sheet->curve = ip_alloc((UINT16_MAX + 1) * sizeof *sheet->curve);
    for (int bits = 0; sheet->curve && bits <= UINT16_MAX; bits++) {
        const uint16_t half = (uint16_t)bits;
        ip_samples_to_float(IPOS_F16, &half, sizeof half, &sheet->curve[bits], 1);
        sheet->curve[bits] = shown(encoding, sheet->curve[bits]);
    }
    return sheet->curve;
}

static uint16_t half_at(const ip_channel *from, int64_t x, int64_t y)
{
    uint16_t half;

    memcpy(&half, from->data + y * from->row_stride + x * from->pixel_stride, sizeof half);
    return half;
}

/* Averages of the cells of one part of a channel, display-referred; outside the data window 0. part NULL: the display window. */
static ipos_status shrink(ip_sheet *sheet, const ipos_frame *frame, const ipos_box *part, int channel, const ip_encoding *encoding, float *out)
{
    const ip_channel *from = &frame->channels[channel];
    const ipos_box *display = part ? part : &frame->display_window, *data = &frame->data_window;
    size_t n = (size_t)from->width * (size_t)from->height;
    const float *curve = encoding && from->type == IPOS_F16 ? curve_of(sheet, encoding) : NULL;
    float *values = curve ? NULL : ip_alloc(IP_MAX(n, 1) * sizeof *values);
    ipos_status status = curve ? IPOS_OK : values ? ip_channel_to_float(from, values) : ip_no_memory(n * sizeof *values);

    for (int cell = 0; status == IPOS_OK && cell < sheet->cell_width * sheet->cell_height; cell++) {
        int cx = cell % sheet->cell_width, cy = cell / sheet->cell_width, count = 0;
        int64_t x0 = (int64_t)cx * display->width / sheet->cell_width, x1 = (int64_t)(cx + 1) * display->width / sheet->cell_width;
        int64_t y0 = (int64_t)cy * display->height / sheet->cell_height, y1 = (int64_t)(cy + 1) * display->height / sheet->cell_height;
        double sum = 0;
        for (int64_t y = y0; y < IP_MAX(y1, y0 + 1); y++) {
            for (int64_t x = x0; x < IP_MAX(x1, x0 + 1); x++, count++) {
                int64_t u = (x + display->x - data->x) / from->xs, v = (y + display->y - data->y) / from->ys;
                if (x + display->x < data->x || y + display->y < data->y || u >= from->width || v >= from->height)
                    continue;
                sum += curve ? curve[half_at(from, u, v)] : shown(encoding, values[v * from->width + u]);
            }
        }
        out[cell] = (float)(sum / IP_MAX(count, 1));
    }
    ip_free(values);
    return status;
}

static void paint(ip_sheet *sheet, int row, int column, const float *rgb)
{
    int n = sheet->cell_width * sheet->cell_height;

    for (int c = 0; c < 3; c++) {
        ip_channel *to = &sheet->canvas->channels[c];
        for (int i = 0; i < n; i++) {
            int x = column * (sheet->cell_width + GAP) + i % sheet->cell_width, y = row * (sheet->cell_height + GAP) + i / sheet->cell_width;
            to->data[y * to->row_stride + x * to->pixel_stride] = code(rgb[c * n + i]);
        }
    }
}

static ipos_status draw_picture(ip_sheet *sheet, int row, int column, const ipos_frame *frame, const ipos_box *part, float *rgb)
{
    const ip_encoding *encoding = ip_encoding_find(sheet->clip.encoding);
    int at[3], n = sheet->cell_width * sheet->cell_height;

    if (!ip_frame_color_channels(frame, at))
        at[0] = at[1] = at[2] = 0;
    for (int c = 0; c < 3; c++)
        IP_TRY(shrink(sheet, frame, part, at[c], encoding, rgb + c * n));
    paint(sheet, row, column, rgb);
    return IPOS_OK;
}

enum { KINDS = 8 }; /* of evidence */

/* Original grey, from another frame green, from another take blue, invented red, in other light yellow, a shadow lifted
 * white, one cast violet, sky in other light cyan; darker where less certain. */
static ipos_status draw_evidence(ip_sheet *sheet, int row, const ipos_frame *evidence, const ipos_box *part, float *rgb)
{
    static const float colors[KINDS][3] = {{0.45f, 0.45f, 0.45f}, {0.15f, 0.75f, 0.25f}, {0.2f, 0.4f, 0.95f}, {0.95f, 0.15f, 0.1f}, {0.9f, 0.75f, 0.2f}, {0.95f, 0.95f, 0.9f},
        {0.5f, 0.2f, 0.7f}, {0.3f, 0.8f, 0.85f}};
    int64_t kind = ipos_frame_find_channel(evidence, "evidence"), sure = ipos_frame_find_channel(evidence, "confidence");
    int n = sheet->cell_width * sheet->cell_height;

    if (kind < 0 || sure < 0)
        return IPOS_OK;
    IP_TRY(shrink(sheet, evidence, part, (int)kind, NULL, rgb));
    IP_TRY(shrink(sheet, evidence, part, (int)sure, NULL, rgb + n));
    for (int i = 0; i < n; i++) {
        float level = IP_MIN(rgb[i], (float)(KINDS - 1)), light = 0.3f + 0.7f * IP_MIN(rgb[n + i], 1.0f);
        int below = (int)level, above = IP_MIN(below + 1, KINDS - 1);
        for (int c = 2; c >= 0; c--)
            rgb[c * n + i] = light * (colors[below][c] + (level - (float)below) * (colors[above][c] - colors[below][c]));
    }
    paint(sheet, row, 3, rgb);
    return IPOS_OK;
}

/* What was taken out white, its shadow blue. */
static ipos_status draw_matte(ip_sheet *sheet, int row, const ipos_frame *evidence, const ipos_box *part, float *rgb)
{
    int64_t matte = ipos_frame_find_channel(evidence, "matte"), shadow = ipos_frame_find_channel(evidence, "matte.shadow");
    int n = sheet->cell_width * sheet->cell_height;

    if (matte < 0)
        return IPOS_OK;
    IP_TRY(shrink(sheet, evidence, part, (int)matte, NULL, rgb));
    memcpy(rgb + n, rgb, (size_t)n * sizeof *rgb);
    memcpy(rgb + 2 * n, rgb, (size_t)n * sizeof *rgb);
    if (shadow >= 0) {
        float *blue = ip_alloc((size_t)n * sizeof *blue);
        ipos_status status = blue ? shrink(sheet, evidence, part, (int)shadow, NULL, blue) : ip_no_memory((size_t)n * sizeof *blue);
        for (int i = 0; i < n && status == IPOS_OK; i++) {
            rgb[n + i] = IP_MAX(rgb[n + i], 0.45f * blue[i]);
            rgb[2 * n + i] = IP_MAX(rgb[2 * n + i], blue[i]);
        }
        ip_free(blue);
        IP_TRY(status);
    }
    paint(sheet, row, 2, rgb);
    return IPOS_OK;
}

/* The box around all samples that differ; false: none does. */
static bool find_change(const ipos_frame *before, const ipos_frame *after, ipos_box *box)
{
    int64_t left = INT32_MAX, top = INT32_MAX, right = -1, bottom = -1;

    for (size_t c = 0; c < before->channel_count; c++) {
        const ip_channel *was = &before->channels[c];
        int64_t found = ipos_frame_find_channel(after, was->name);
        const ip_channel *is = found < 0 ? NULL : &after->channels[found];
        const size_t bytes = ip_sample_bytes(was->type);
        if (!is || is->type != was->type || is->width != was->width || is->height != was->height)
            continue;
        for (int64_t y = 0; y < was->height; y++) {
            const uint8_t *before_row = was->data + y * was->row_stride, *after_row = is->data + y * is->row_stride;
            int64_t first = 0, last = was->width - 1;
            while (first <= last && memcmp(before_row + first * was->pixel_stride, after_row + first * is->pixel_stride, bytes) == 0)
                first++;
            if (first > last)
                continue;
            while (memcmp(before_row + last * was->pixel_stride, after_row + last * is->pixel_stride, bytes) == 0)
                last--;
            left = IP_MIN(left, first * was->xs), right = IP_MAX(right, (last + 1) * was->xs);
            top = IP_MIN(top, y * was->ys), bottom = IP_MAX(bottom, (y + 1) * was->ys);
        }
    }
    if (right < 0)
        return false;
    *box = (ipos_box){(int32_t)left + before->data_window.x, (int32_t)top + before->data_window.y, (int32_t)(right - left), (int32_t)(bottom - top)};
    return true;
}

/* A part of the display window in its proportions, with a margin, that holds the change; the whole window unless the part is at most
 * half as wide. */
static ipos_box close_up(const ipos_box *display, const ipos_box *change)
{
    const double shape = (double)display->width / IP_MAX(display->height, 1);
    const double width = IP_MAX(IP_MAX(change->width * 1.4, change->height * 1.4 * shape), 48.0), height = width / shape;
    double x = change->x + change->width / 2.0 - width / 2, y = change->y + change->height / 2.0 - height / 2;

    if (width > display->width / 2.0)
        return *display;
    x = IP_MIN(IP_MAX(x, (double)display->x), (double)display->x + display->width - width);
    y = IP_MIN(IP_MAX(y, (double)display->y), (double)display->y + display->height - height);
    return (ipos_box){(int32_t)x, (int32_t)y, (int32_t)width, IP_MAX((int32_t)height, 1)};
}

/* The nearest frame on one side that exists and was not itself asked for; an unreadable one leaves the cell grey. */
static ipos_frame *neighbour(ip_sheet *sheet, ipos_rational time, int direction)
{
    int64_t floor = time.num / time.den - (time.num % time.den < 0), number = direction < 0 ? floor : floor + 1;
    ipos_frame *frame = NULL;

    for (int tries = 0; tries < 64 && number >= sheet->clip.first && number <= sheet->clip.last; tries++, number += direction)
        if (!ip_frames_ask(sheet->asked, number) && ip_store_source_frame(sheet->store, sheet->clip.name, number, &frame) == IPOS_OK)
            return frame;
    return NULL;
}

static ipos_status draw_neighbours(ip_sheet *sheet, int row, ipos_rational time, float *rgb)
{
    ipos_status status = IPOS_OK;

    for (int side = -1; side <= 1 && status == IPOS_OK; side += 2) {
        ipos_frame *frame = neighbour(sheet, time, side);
        if (!frame)
            continue;
        status = draw_picture(sheet, row, 1 + side, frame, NULL, rgb);
        ipos_frame_release(frame);
    }
    return status;
}

/* The frame as it was; its part that the row shows goes to *part. One that cannot be read leaves its cell grey. */
static ipos_status draw_before(ip_sheet *sheet, int row, int64_t number, const ipos_frame *after, ipos_box *part, float *rgb)
{
    ipos_frame *before;
    ipos_box change;

    *part = after->display_window;
    if (ip_store_source_frame(sheet->store, sheet->clip.name, number, &before) != IPOS_OK)
        return IPOS_OK;
    if (find_change(before, after, &change))
        *part = close_up(&after->display_window, &change);
    ipos_status status = draw_picture(sheet, row, 0, before, part, rgb);
    ipos_frame_release(before);
    return status;
}

/* What the picture was to be like: one of the frames read from the clip that the setting "reference" names, spread over the rows. */
static ipos_status draw_reference(ip_sheet *sheet, int row, size_t index, float *rgb)
{
    const char *clip = json_string_value(json_object_get(json_object_get(sheet->option, "parameters"), "reference"));
    json_t *sources = json_object_get(sheet->option, "sources"), *source;
    size_t i, count = 0, last = json_array_size(sheet->frames) - 1, wanted;
    ipos_frame *frame;

    if (!clip || !*clip)
        return IPOS_OK;
    json_array_foreach(sources, i, source) {
        const char *of = json_string_value(json_object_get(source, "clip"));
        count += of && strcmp(of, clip) == 0;
    }
    wanted = count ? index * (count - 1) / IP_MAX(last, 1) : 0;
    json_array_foreach(sources, i, source) {
        const char *of = json_string_value(json_object_get(source, "clip"));
        if (!of || strcmp(of, clip) != 0 || wanted-- > 0)
            continue;
        if (ip_store_source_frame(sheet->store, clip, json_integer_value(json_object_get(source, "frame")), &frame) != IPOS_OK)
            return IPOS_OK;
        ipos_status status = draw_picture(sheet, row, 2, frame, NULL, rgb);
        ipos_frame_release(frame);
        return status;
    }
    return IPOS_OK;
}

static ipos_status draw_map(ip_sheet *sheet, int row, size_t index, const ipos_box *part, bool matte, float *rgb)
{
    ipos_frame *evidence;

    if (!json_is_string(json_object_get(json_array_get(sheet->frames, index), "evidence")))
        return IPOS_OK;
    IP_TRY(ip_store_option_frame(sheet->store, sheet->id, index, true, &evidence));
    ipos_status status = draw_evidence(sheet, row, evidence, part, rgb);
    if (status == IPOS_OK && matte)
        status = ipos_frame_find_channel(evidence, "matte") < 0 ? draw_reference(sheet, row, index, rgb) : draw_matte(sheet, row, evidence, part, rgb);
    ipos_frame_release(evidence);
    return status;
}

static ipos_status draw_row(ip_sheet *sheet, int row, size_t index, float *rgb)
{
    const json_t *at = json_object_get(json_array_get(sheet->frames, index), "time");
    const ipos_rational time = {json_integer_value(json_array_get(at, 0)), json_integer_value(json_array_get(at, 1))};
    const bool changed = time.den == 1 && ip_option_changes(sheet->option, time.num);
    ipos_box part = {0};
    ipos_frame *picture;

    IP_TRY(ip_store_option_frame(sheet->store, sheet->id, index, false, &picture));
    if (sheet->columns == 1) {
        ipos_status alone = draw_picture(sheet, row, 0, picture, NULL, rgb);
        ipos_frame_release(picture);
        return alone;
    }
    ipos_status status = changed ? draw_before(sheet, row, time.num, picture, &part, rgb) : draw_neighbours(sheet, row, time, rgb);
    if (status == IPOS_OK)
        status = draw_picture(sheet, row, 1, picture, changed ? &part : NULL, rgb);
    ipos_frame_release(picture);
    return status == IPOS_OK ? draw_map(sheet, row, index, changed ? &part : NULL, changed, rgb) : status;
}

/* A picture of another shape than the frames, with columns of its own. */
static bool drawn_for_people(const ip_sheet *sheet, const ipos_frame *picture)
{
    return strcmp(ipos_frame_encoding(picture), "data") == 0 && picture->channel_count >= 3 && strcmp(sheet->clip.encoding, "data") != 0;
}

static ipos_status make_canvas(ip_sheet *sheet, int rows)
{
    const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    ipos_frame *first;
    ipos_box box;

    IP_TRY(ip_store_option_frame(sheet->store, sheet->id, 0, false, &first));
    box = first->display_window;
    sheet->columns = drawn_for_people(sheet, first) ? 1 : COLUMNS;
    ipos_frame_release(first);
    if (sheet->columns == 1)
        sheet->cell_width = IP_MIN(box.width, SHEET_WIDTH);
    else
        sheet->cell_width = IP_MIN(box.width, CELL_MOST);
    sheet->cell_height = IP_MAX((int)((int64_t)box.height * sheet->cell_width / IP_MAX(box.width, 1)), 1);
    box = (ipos_box){0, 0, sheet->columns * sheet->cell_width + (sheet->columns - 1) * GAP, rows * sheet->cell_height + (rows - 1) * GAP};
    IP_TRY(ip_frame_new(&box, NULL, channels, 3, NULL, NULL, &sheet->canvas));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < box.height; y++)
            memset(sheet->canvas->channels[c].data + y * sheet->canvas->channels[c].row_stride, 40, (size_t)box.width);
    return ipos_frame_set_encoding(sheet->canvas, "srgb");
}

static ipos_status draw(ip_sheet *sheet, const char *path)
{
    ipos_write_config config = {sizeof config, .format = "png"};
    size_t count = json_array_size(sheet->frames);
    int rows = (int)IP_MIN(count, ROWS);

    if (rows == 0)
        return ip_fail(IPOS_ERR_STATE, "option \"%s\": has no pictures to show", sheet->id);
    IP_TRY(make_canvas(sheet, rows));
    float *rgb = ip_alloc((size_t)sheet->cell_width * (size_t)sheet->cell_height * 3 * sizeof *rgb);
    ipos_status status = rgb ? IPOS_OK : ip_no_memory(1 << 20);
    for (int row = 0; row < rows && status == IPOS_OK; row++)
        status = draw_row(sheet, row, rows == 1 ? 0 : (size_t)row * (count - 1) / (size_t)(rows - 1), rgb);
    ip_free(rgb);
    return status == IPOS_OK ? ip_image_write(&sheet->canvas, 1, &config, path, NULL, NULL) : status;
}

ipos_status ip_contact_sheet(ip_store *store, const char *id, const char *path)
{
    ip_sheet sheet = {.store = store, .id = id};
    json_t *list = NULL, *option;
    int64_t number;
    char *text, *own = NULL;

    IP_TRY(ip_store_options_json(store, id, &text));
    ipos_status status = id && ip_option_id(id, &number) ? ip_doc_parse(text, "option", &list) : ip_fail(IPOS_ERR_ARGUMENT,
        "contact sheet: which option?");
    ip_free(text);
    sheet.option = option = json_array_get(list, 0);
    sheet.frames = json_object_get(option, "frames");
    sheet.asked = json_string_value(json_object_get(option, "frames_asked"));
    if (status == IPOS_OK && json_array_size(sheet.frames))
        status = ip_store_clip_get(store, json_string_value(json_object_get(option, "clip")), &sheet.clip);
    if (status == IPOS_OK && !path && !(path = own = ip_option_path(store, number, "sheet.png")))
        status = ip_no_memory(256);
    if (status == IPOS_OK)
        status = draw(&sheet, path);
    ipos_frame_release(sheet.canvas);
    ip_free(sheet.curve);
    ip_store_clip_free(&sheet.clip);
    json_decref(list);
    ip_free(own);
    return status;
}
