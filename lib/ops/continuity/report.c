/* mode=report: what differs from another take of the set-up, as pictures and as a ranked list. Nothing is changed. */
#include "change_report.h"
#include "continuity_op.h"

typedef struct work {
    ic_run *run;
    ic_part *part;
    json_t *list; /* a report a frame */
} work;

static ipos_status prepare(ic_run *run, ic_part *part) {
    if (!run->reference.numbers)
        return ip_fail(IPOS_ERR_ARGUMENT, "report: nothing to compare with: name a clip (reference) or frames of this one (reference_frames)");
    run->offered[0] = true;
    return ic_say(part, "reports", json_array());
}

/* Pictures for people are numbers, not footage: data, of the screen. */
static ipos_status picture_frame(ic_run *run, const ip_image3 *drawn, ipos_frame **out) {
    static const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    const ipos_box window = {0, 0, drawn->c[0].width, drawn->c[0].height};
    IP_TRY(run->host->frame_new(run->host, &window, channels, 3, out));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < window.height; y++)
            ip_samples_from_float(IPOS_U8, ip_row(&drawn->c[c], y), (*out)->channels[c].data + y * (*out)->channels[c].row_stride,
                (*out)->channels[c].pixel_stride, (size_t)window.width);
    return ipos_frame_set_encoding(*out, "data");
}

/* The take beside the reference where nothing could be compared is the take alone. */
static ipos_status draw(const work *w, const ip_change_report *report, ip_image3 *drawn) {
    ip_shot *own = &w->part->shot, *other = &w->run->reference;
    const ip_look_source source = ip_shot_source(own, &w->run->teller.pulse);
    ip_image3 take = {0}, reference = {0};
    ipos_status status = ip_image3_new(own->window.width, own->window.height, &take);
    if (status == IPOS_OK)
        status = ip_shot_frame(own, report->frame[0], false, &take);
    if (status == IPOS_OK && ip_measured(&report->reading)) {
        status = ip_image3_new(other->window.width, other->window.height, &reference);
        if (status == IPOS_OK)
            status = ip_shot_frame(other, report->frame[1], false, &reference);
        if (status == IPOS_OK)
            status = ip_change_report_picture(report, &source, &take, &reference, drawn);
        ip_image3_free(&take);
    } else {
        const ip_encoding *screen = ip_encoding_find("srgb");
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < own->window.height && status == IPOS_OK; y++)
                for (int x = 0; x < own->window.width; x++)
                    ip_row(&take.c[c], y)[x] = screen->from_linear(ip_row(&take.c[c], y)[x]);
        *drawn = take;
    }
    ip_image3_free(&reference);
    return status;
}

static ipos_status note(const work *w, const ip_change_report *report, int64_t number) {
    json_t *entry = ip_change_report_json(report);
    if (!entry)
        return ip_no_memory(4096);
    json_object_set_new(entry, "frame", json_integer(number));
    json_object_set_new(entry, "reference_frame", json_integer(w->run->reference.numbers[report->frame[1]]));
    return json_array_append_new(w->list, entry) == 0 ? IPOS_OK : ip_no_memory(256);
}

static ipos_status emit_drawn(const work *w, const ip_change_report *report, int64_t number) {
    ip_image3 drawn = {0};
    ipos_frame *picture = NULL;
    ipos_status status = draw(w, report, &drawn);
    if (status == IPOS_OK)
        status = picture_frame(w->run, &drawn, &picture);
    if (status == IPOS_OK)
        status = w->run->host->emit(w->run->host, w->run->mode->variants[0].name, (ipos_rational){number, 1}, report->reading.confidence, picture, NULL);
    ip_image3_free(&drawn);
    ipos_frame_release(picture);
    return status;
}

static ipos_status compare(void *user, size_t index, size_t asked) {
    const work *w = user;
    const ip_look_source take = ip_shot_source(&w->part->shot, &w->run->teller.pulse), reference = ip_shot_source(&w->run->reference, &w->run->teller.pulse);
    ip_change_report report;
    size_t beside = IP_CHANGE_CHOOSE;
    (void)asked;
    if (*ip_options_text(w->run->host->options, "reference_frames"))
        IP_TRY(ic_beside(w->run, w->part->shot.numbers[index], &beside));
    IP_TRY(ip_change_report_measure(&take, index, &reference, beside, NULL, &report));
    ipos_status status = note(w, &report, w->part->shot.numbers[index]);
    if (status == IPOS_OK)
        status = emit_drawn(w, &report, w->part->shot.numbers[index]);
    ip_change_report_free(&report);
    return status;
}

static ipos_status emit(ic_run *run, ic_part *part, int variant) {
    work w = {run, part, json_object_get(part->note, "reports")};
    return ic_each(run, part, variant, compare, &w);
}

const ic_mode ic_report = {
    .name = "report",
    .variants = {{"report", "What differs from the reference: the reference laid over, the frame, the differences; nothing is changed"}},
    .prepare = prepare,
    .emit = emit,
};
