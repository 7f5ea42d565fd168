/* What was found of a wire on a frame: how sure that is, which of its points are painted, whether it is lost. */
#include "wires_track.h"

#include <math.h>

/* Runs of `value` of at most `most` points become the other; inner: only those between two others. */
static void flip_runs(uint8_t *use, size_t count, int value, size_t most, bool inner) {
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end < count && use[end] == use[i])
            end++;
        if (use[i] == value && end - i <= most && (!inner || (i > 0 && end < count)))
            memset(use + i, !value, end - i);
        i = end;
    }
}

/* Which points are painted: what is surely seen, what is seen less but hangs together with it (hysteresis), short gaps; no crumbs. */
static ipos_status choose_points(const iw_work *w, iw_seen *seen, float enough) {
    enum { BRIDGE = 8, CRUMB = 4, BORDER = 3 * IW_STEP };
    size_t count = seen->trace.curve.count;
    seen->use = ip_calloc(IP_MAX(count, 1), 1);
    if (!seen->use)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        seen->use[i] = seen->trace.seen[i] >= enough;
    flip_runs(seen->use, count, 1, 2, false);
    for (size_t i = 1; i < count; i++)
        seen->use[i] |= seen->use[i - 1] && seen->trace.seen[i] >= .5f * enough;
    for (size_t i = count; i-- > 1;)
        seen->use[i - 1] |= seen->use[i] && seen->trace.seen[i - 1] >= .5f * enough;
    flip_runs(seen->use, count, 0, BRIDGE, true);
    flip_runs(seen->use, count, 1, CRUMB, false);
    for (int end = 0; end < 2 && count > BRIDGE; end++) /* the detector sees little of what the border cuts off */
        if (iw_to_border(w->shot, seen->trace.curve.at[end ? count - 1 : 0]) < BORDER) {
            size_t run = 0;
            while (run <= BRIDGE && !seen->use[end ? count - 1 - run : run])
                run++;
            for (size_t i = 0; run <= BRIDGE && i < run; i++)
                seen->use[end ? count - 1 - i : i] = 1;
        }
    return IPOS_OK;
}

/* Hints make the network see what is not there; so nothing counts that it does not see by itself too. */
static ipos_status doubt(const iw_work *w, iw_seen *seen) {
    const ip_wire_map map = {w->plain, w->box.x, w->box.y};
    ip_trace alone;
    IP_TRY(ip_trace_read(&map, &seen->trace.curve, &alone));
    for (size_t i = 0; i < seen->trace.curve.count; i++)
        seen->trace.seen[i] *= fminf(fmaxf((alone.seen[i] - .08f) / .17f, 0), 1);
    ip_trace_free(&alone);
    return IPOS_OK;
}

ipos_status iw_settle(const iw_work *w, const iw_follow *f) {
    iw_seen *seen = f->seen;
    float enough = w->shot->threshold, unit = iw_lines(w->shot);
    if (seen->trace.curve.count >= 2) {
        const ip_wire_map map = {w->hinted, w->box.x, w->box.y};
        ip_trace_options options = {.step = IW_STEP, .reach = 5 * unit, .stay = .5f, .grow = 0};
        ip_trace again;
        IP_TRY(ip_trace_find(&map, &seen->trace.curve, &options, &again));
        ip_trace_free(&seen->trace);
        seen->trace = again;
        if (w->shot->net)
            IP_TRY(doubt(w, seen));
    }
    ip_free(seen->use);
    IP_TRY(choose_points(w, seen, enough));
    if (w->shot->net && !f->stroke)
        IP_TRY(iw_straighten(w, f));
    float sum = 0;
    size_t used = 0;
    for (size_t k = 0; k < seen->trace.curve.count; k++) {
        sum += seen->trace.seen[k];
        used += seen->use[k];
    }
    seen->confidence = seen->trace.curve.count ? sum / (float)seen->trace.curve.count : 0;
    if (w->shot->doubted && w->shot->doubted[f->wire]) { /* what was learned of other wires must not make one of this */
        seen->confidence = fminf(seen->confidence, .5f * enough);
        seen->lost = true;
        return IPOS_OK;
    }
    if (f->stroke && seen->trace.curve.count && ip_trace_share(&seen->trace, .5f * enough) >= .25f) { /* a person saw all of it */
        memset(seen->use, 1, seen->trace.curve.count);
        return IPOS_OK;
    }
    seen->lost = (float)used * IW_STEP < 12 * unit || seen->worth < -.05f ||
        (seen->worth < .2f && !((float)used * IW_STEP > 50 * unit && seen->confidence >= .5f)) || ip_trace_share(&seen->trace, enough) < .25f;
    return IPOS_OK;
}
