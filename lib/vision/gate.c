#include "session.h"
#include "trajectory.h"
#include <math.h>

/* One known frame between its own known neighbours: what every variant makes of it, against the frame itself. */
static ipos_status score(ip_inbetween *session, size_t index, ip_inbetween_variant variant, double *psnr) {
    ip_inbetween_plan *plan = NULL;
    const ip_seen *truth, *left, *right;
    int threads = session->source.threads;
    IP_TRY(ip_plan_between(session, index - 1, index + 1, session->times[index], variant, 0., &plan));
    plan->width = plan->active.width; /* judged inside the bars, on what matching sees */
    plan->height = plan->active.height;
    plan->active.x = plan->active.y = 0;
    ip_plane_f made;
    ipos_status status = ip_plane_new(plan->width, plan->height, &made);
    if (status == IPOS_OK)
        status = ip_session_frame(session, index, &truth);
    if (status == IPOS_OK)
        status = ip_session_frame(session, index - 1, &left);
    if (status == IPOS_OK)
        status = ip_session_frame(session, index + 1, &right);
    double sum = 0;
    for (int c = 0; c < 3 && status == IPOS_OK; c++) {
        ip_inbetween_apply(plan, &left->color.c[c], &right->color.c[c], &made, threads);
        for (int y = 0; y < plan->height; y++) {
            double row = 0;
            for (int x = 0; x < plan->width; x++) {
                double d = (double)ip_row(&made, y)[x] - ip_row(&truth->color.c[c], y)[x];
                row += d * d;
            }
            sum += row;
        }
        status = ip_session_tick(session);
    }
    double mean = sum / (3. * plan->width * plan->height);
    *psnr = mean > 1e-10 ? -10. * log10(mean) : 100.;
    ip_plane_free(&made);
    ip_inbetween_plan_free(plan);
    return status;
}

static int variants(const ip_inbetween *session) {
    return session->source.lean ? IP_INBETWEEN_FULL : IP_INBETWEEN_VARIANTS;
}

static ipos_status leave_out(ip_inbetween *session, size_t index) {
    ip_left_out *entry = &session->loo[index];
    if (entry->done)
        return IPOS_OK;
    entry->possible = index > 0 && index + 1 < session->source.count;
    for (int v = 0; v < variants(session) && entry->possible; v++)
        IP_TRY(score(session, index, (ip_inbetween_variant)v, &entry->psnr[v]));
    entry->done = true;
    return IPOS_OK;
}

/* The share of the curved path that would have explained the known frames on either side best, in quarters. Their gaps are wider
 * than the one to fill, and the wider the gap the less of the path is a parabola: hence GENEROUS. */
static ipos_status choose_trajectory(ip_inbetween *session, size_t left, double *share) {
    static const double GENEROUS = 1.25, LEAST_CORRELATION = .15;
    double sums[3] = {0};
    for (size_t i = left; i <= left + 1; i++) {
        ip_left_out *entry = &session->loo[i];
        if (!entry->path_done)
            IP_TRY(ip_trajectory_evidence(session, i, &entry->path_possible, entry->path));
        entry->path_done = true;
        for (int k = 0; k < 3; k++)
            sums[k] += entry->path[k];
    }
    *share = 0.;
    if (sums[2] > 1e-6 && sums[1] > LEAST_CORRELATION * sqrt(sums[0] * sums[2]))
        *share = floor(4. * IP_MIN(GENEROUS * sums[1] / sums[2], 1.) + .5) / 4.;
    return IPOS_OK;
}

/* The frames named are preferred in this order unless another is better by this much, dB. */
static const double MARGIN = .05;

ipos_status ip_inbetween_choose(ip_inbetween *session, double time, ip_inbetween_choice *out) {
    *out = (ip_inbetween_choice){.variant = IP_INBETWEEN_PLAIN};
    size_t left = 0;
    IP_TRY(ip_find_gap(session, time, &left));
    int measured = 0;
    for (size_t i = left; i <= left + 1; i++) {
        IP_TRY(leave_out(session, i));
        if (!session->loo[i].possible)
            continue;
        measured++;
        for (int v = 0; v < IP_INBETWEEN_VARIANTS; v++)
            out->psnr[v] += session->loo[i].psnr[v];
    }
    out->measured = measured > 0;
    for (int v = 0; v < IP_INBETWEEN_VARIANTS && measured; v++) {
        out->psnr[v] /= measured;
    }
    if (measured) {
        out->variant = (ip_inbetween_variant)(variants(session) - 1);
        for (int v = (int)out->variant - 1; v >= 0; v--)
            if (out->psnr[v] > out->psnr[out->variant] + MARGIN)
                out->variant = (ip_inbetween_variant)v;
    }
    return choose_trajectory(session, left, &out->trajectory);
}
