/* What is told about a result beside its pictures. */
#include "quote.h"
#include "wires_run.h"

#include <math.h>

void iw_details_stroke(iw_run *run, const char *wire, bool shadow, int64_t frame, const ip_curve *curve, float scale, float width, float sure) {
    ip_buffer *to = &run->strokes;
    size_t step = IP_MAX((size_t)1, curve->count / 24);
    ip_buffer_printf(to, "%s{\"wire\":", to->size ? "," : "");
    ip_quote(to, wire);
    ip_buffer_printf(to, ",\"kind\":\"%s\",\"frame\":%lld,\"confidence\":%.3f,\"width\":%.1f,\"points\":[", shadow ? "shadow" : "wire", (long long)frame,
        (double)sure, (double)(width * scale));
    for (size_t i = 0; i < curve->count; i = i + step < curve->count || i == curve->count - 1 ? i + step : curve->count - 1)
        ip_buffer_printf(to, "%s[%.1f,%.1f]", i ? "," : "", (double)(curve->at[i].x * scale), (double)(curve->at[i].y * scale));
    ip_buffer_printf(to, "]}");
}

/* Where the wire was lost, as ranges of frames. */
static void add_lost(iw_run *run, const iw_shot *shot, size_t wire) {
    ip_buffer *to = &run->lost;
    for (size_t i = 0; i < shot->count;) {
        size_t end = i;
        while (end < shot->count && iw_seen_at(shot, wire, end)->lost && !shot->painted[end])
            end++;
        if (end > i) {
            ip_buffer_printf(to, "%s{\"wire\":", to->size ? "," : "");
            ip_quote(to, shot->wires.at[wire].name);
            ip_buffer_printf(to, ",\"first\":%lld,\"last\":%lld}", (long long)shot->numbers[i], (long long)shot->numbers[end - 1]);
        }
        i = end + 1;
    }
}

ipos_status iw_details_shot(iw_run *run, const iw_shot *shot, const char *detector, int64_t steps) {
    ip_buffer *to = &run->details;
    ip_buffer_printf(to, "%s{\"first\":%lld,\"last\":%lld,\"detector\":\"%s\",\"tuned_steps\":%lld,\"wires\":[", to->data[to->size - 1] == '[' ? "" : ",",
        (long long)shot->numbers[0], (long long)shot->numbers[shot->count - 1], detector, (long long)steps);
    for (size_t w = 0; w < shot->wires.count && shot->seen; w++) {
        ip_buffer_printf(to, "%s{\"wire\":", w ? "," : "");
        ip_quote(to, shot->wires.at[w].name);
        ip_buffer_printf(to, ",\"frames\":[");
        for (size_t i = 0; i < shot->count; i++) {
            const iw_seen *seen = iw_seen_at(shot, w, i);
            ip_buffer_printf(to, "%s{\"frame\":%lld,\"confidence\":%.3f,\"lost\":%s}", i ? "," : "", (long long)shot->numbers[i],
                (double)seen->confidence, seen->lost ? "true" : "false");
            if (!seen->lost && seen->trace.curve.count >= 2)
                iw_details_stroke(run, shot->wires.at[w].name, shot->wires.at[w].shadow, shot->numbers[i], &seen->trace.curve, (float)shot->scale,
                    seen->width, seen->confidence);
        }
        ip_buffer_printf(to, "]}");
        add_lost(run, shot, w);
    }
    ip_buffer_printf(to, "]}");
    return to->failed ? IPOS_ERR_NO_MEMORY : IPOS_OK;
}

void iw_details_end(iw_run *run) {
    ip_buffer_printf(&run->details, "],\"lost\":[%s],\"strokes\":[%s]", run->lost.size ? run->lost.data : "", run->strokes.size ? run->strokes.data : "");
    if (run->count[0] > 0)
        ip_buffer_printf(&run->details, ",\"beside\":{\"standard\":%.3f,\"learned\":%.3f,\"samples\":%.0f}",
            -10 * log10(fmax(run->error[0] / run->count[0], 1e-10)),
            run->count[1] > 0 ? -10 * log10(fmax(run->error[1] / run->count[1], 1e-10)) : -1.0, run->count[0]);
    ip_buffer_printf(&run->details, "}");
}
