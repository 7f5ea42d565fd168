/* Results of a change that is known as a whole: all of it, and three fifths. */
#include "curves.h"
#include "relight_op.h"

#include <math.h>

ipos_status ir_two_read(const ip_op_host *host, const char *why, ir_two *two) {
    const char *asked = ip_options_text(host->options, "variants");
    const char *name = two->name;
    bool all = !strcmp(asked, "all"), *offered = two->offered;
    two->strength[0] = (float)ip_options_real(host->options, "strength");
    two->strength[1] = .6f * two->strength[0];
    for (const char *at = asked; !all && *at;) {
        size_t length = strcspn(at, ",");
        if ((length != strlen(name) || strncmp(at, name, length)) && (length != 6 || strncmp(at, "gentle", 6)))
            return ip_fail(IPOS_ERR_ARGUMENT, "variants: \"%.*s\" in \"%s\" is none of %s, gentle, which are what %s makes; or ask for all", (int)length, at,
                asked, name, why);
        at += length + (at[length] == ',');
    }
    offered[0] = all || ip_in_list(asked, name);
    offered[1] = all || ip_in_list(asked, "gentle");
    return offered[0] || offered[1] ? IPOS_OK : ip_fail(IPOS_ERR_ARGUMENT, "variants: nothing is asked for: name %s or gentle, or ask for all", name);
}

ipos_status ir_two_offer(ir_run *run, const ir_two *two) {
    ip_op_host *host = run->host;
    ip_buffer_printf(&run->details, "]}");
    char *details = ip_buffer_take(&run->details);
    int rank = 0;
    if (!details)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = IPOS_OK;
    for (int v = 0; v < 2 && status == IPOS_OK; v++)
        if (two->offered[v])
            status = host->variant(host, v ? "gentle" : two->name, two->title[v], rank++, -1, details);
    ip_free(details);
    return status;
}

/* Half way as screens show it. grey: the frame has one channel of light, whose samples light's planes repeat: it gets the luminance. */
static void go(const ir_change *change, bool grey, float strength, const ip_image3 *out, const ip_plane_f *changed) {
    for (int y = 0; y < changed->height; y++) {
        const float *keep = change->keep ? ip_row(change->keep, y) : NULL;
        for (int x = 0; x < changed->width; x++) {
            float share = strength * (keep ? 1 - keep[x] : 1);
            bool differs = false;
            float goal[3];
            for (int c = 0; c < 3; c++)
                goal[c] = ip_row(&change->made->c[c], y)[x];
            if (grey)
                goal[0] = goal[1] = goal[2] = ip_luma_of(goal[0], goal[1], goal[2]);
            for (int c = 0; c < 3; c++) {
                float light = ip_row(&change->light->c[c], y)[x];
                differs = differs || (share > 0 && isfinite(light) && isfinite(goal[c]) && goal[c] != light);
            }
            ip_row(changed, y)[x] = differs;
            for (int c = 0; c < 3; c++) {
                float light = ip_row(&change->light->c[c], y)[x], *to = &ip_row(&out->c[c], y)[x];
                bool is = differs && isfinite(light) && isfinite(goal[c]);
                *to = !is ? light : share >= 1 ? goal[c]
                    : ip_srgb_to_linear((1 - share) * ip_srgb_from_linear(light) + share * ip_srgb_from_linear(goal[c]));
            }
        }
    }
}

static ipos_status make_evidence(ir_run *run, const ir_change *change, const ip_plane_f *changed, ipos_frame **out, double *mean) {
    static const ipos_channel channels[2] = {{"confidence", IPOS_F16, 1, 1}, {"evidence", IPOS_F16, 1, 1}};
    const ipos_frame *source = change->source;
    double sum = 0;
    ip_plane_f rows;
    IP_TRY(ip_evidence_new(run->host, &source->data_window, source, channels, 2, out));
    IP_TRY(ip_plane_new(changed->width, 2, &rows));
    for (int y = 0; y < changed->height; y++) {
        float *sure = ip_row(&rows, 0), *kind = ip_row(&rows, 1);
        for (int x = 0; x < changed->width; x++) {
            bool is = ip_row(changed, y)[x] > 0;
            sure[x] = is ? ip_row(change->sure, y)[x] : 1;
            kind[x] = is ? ip_row(change->kind, y)[x] : 0;
            sum += (double)sure[x];
        }
        ip_evidence_row(*out, 0, y, sure);
        ip_evidence_row(*out, 1, y, kind);
    }
    ip_plane_free(&rows);
    *mean = sum / ((double)changed->width * changed->height);
    return IPOS_OK;
}

static ipos_status emit_one(ir_run *run, const ir_two *two, int v, const ir_change *change, ip_image3 *out, ip_plane_f *changed) {
    ip_op_host *host = run->host;
    ipos_frame *picture = NULL, *evidence = NULL;
    double sure = 1;
    int rgb[3];
    bool grey = ip_frame_color_channels(change->source, rgb) && rgb[0] == rgb[1];
    IP_TRY(host->frame_like(host, change->source, 0, &picture));
    ipos_status status = ip_frame_copy_pixels(picture, change->source);
    if (status == IPOS_OK) {
        go(change, grey, two->strength[v], out, changed);
        status = ir_light_write(change->clip, out, changed, picture);
    }
    if (status == IPOS_OK)
        status = make_evidence(run, change, changed, &evidence, &sure);
    if (status == IPOS_OK)
        status = host->emit(host, v ? "gentle" : two->name, (ipos_rational){change->number, 1}, sure, picture, evidence);
    ipos_frame_release(picture);
    ipos_frame_release(evidence);
    return status;
}

ipos_status ir_two_emit(ir_run *run, const ir_two *two, const ir_change *change) {
    ip_image3 out = {0};
    ip_plane_f changed;
    IP_TRY(ip_plane_new(change->light->c[0].width, change->light->c[0].height, &changed));
    ipos_status status = ip_image3_new(changed.width, changed.height, &out);
    for (int v = 0; v < 2 && status == IPOS_OK; v++)
        if (two->offered[v])
            status = emit_one(run, two, v, change, &out, &changed);
    ip_image3_free(&out);
    ip_plane_free(&changed);
    return status;
}
