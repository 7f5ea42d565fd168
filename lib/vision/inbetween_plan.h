/* What the files of the in-between share; not for other rooms. */
#ifndef IP_INBETWEEN_PLAN_H
#define IP_INBETWEEN_PLAN_H

#include "inbetween.h"
#include "match.h"

typedef enum ip_flow_kind { IP_FLOW_MEDIUM, IP_FLOW_FINE, IP_FLOW_FLIPPED, IP_FLOW_KINDS } ip_flow_kind;

/* A known frame as matching sees it: limited, finite. Sizes are those of the active part. */
typedef struct ip_seen {
    ip_image3 color; /* working encoding, -.25..1.5 */
    ip_plane_f luma; /* 255 times that */
} ip_seen;

/* Motion from the left to the right frame as seen at the wanted time, and what it makes of the two frames. */
typedef struct ip_layer {
    ip_plane_f a[2], b[2];                       /* projected from the left, from the right frame's flow */
    ip_plane_f cover_a, cover_b;
    ip_plane_f weight[IP_INBETWEEN_CANDIDATES];  /* sum to 1 */
} ip_layer;

enum { IP_MAX_LAYERS = 3 };

struct ip_inbetween_plan {
    int width, height;
    ip_box_i active;
    size_t left, right;
    float position;
    ip_inbetween_variant variant;
    int layer_count; /* 0 for the average */
    ip_layer layers[IP_MAX_LAYERS];
    bool curved;
    ip_plane_f curve[2]; /* offset from the straight path */
    ip_plane_f confidence;
};

/* Where a candidate samples its frame. */
typedef struct ip_place {
    float x, y;
} ip_place;

static inline ip_place ip_layer_place(const ip_inbetween_plan *plan, const ip_plane_f motion[2], bool right, int x, int y) {
    float k = right ? 1.f - plan->position : -plan->position;
    ip_place p = {(float)x + k * ip_row(&motion[0], y)[x], (float)y + k * ip_row(&motion[1], y)[x]};
    if (plan->curved) {
        p.x -= ip_row(&plan->curve[0], y)[x];
        p.y -= ip_row(&plan->curve[1], y)[x];
    }
    return p;
}

/* fuse.c: logits and weights of a layer, or of the plain average (layer NULL: only the confidence). raw: if not NULL, gets the logits
 * and the three blurred differences (A, B, still). */
ipos_status ip_layer_fuse(ip_inbetween_plan *plan, ip_layer *layer, const ip_seen *left, const ip_seen *right, int threads);
ipos_status ip_layer_logits(const ip_inbetween_plan *plan, const ip_layer *layer, const ip_image3 *left, const ip_image3 *right,
    ip_plane_f logits[IP_INBETWEEN_CANDIDATES], ip_plane_f difference[3], int threads);
void ip_layer_softmax(ip_layer *layer, const ip_plane_f logits[IP_INBETWEEN_CANDIDATES], int threads);

/* session.c */
ipos_status ip_session_frame(ip_inbetween *session, size_t index, const ip_seen **out);
/* Flows between known frames, those not at hand computed side by side (at most IP_FLOW_BATCH of them). flows[i][0..1] stay valid
 * until a later call needs their place. */
typedef struct ip_flow_key {
    size_t from, to;
    ip_flow_kind kind;
} ip_flow_key;
ipos_status ip_session_flows(ip_inbetween *session, const ip_flow_key *keys, int count, const ip_plane_f **flows);
/* Large-motion override of the flows from -> to (sides[0]) and back (sides[1]); valid as flows are. */
ipos_status ip_session_override(ip_inbetween *session, size_t from, size_t to, const ip_override **sides);
const ip_inbetween_source *ip_session_source(const ip_inbetween *session);
ip_box_i ip_session_active(const ip_inbetween *session);
ipos_status ip_session_tick(ip_inbetween *session);

/* plan.c: a plan between any two known frames (the gate leaves out those between). lambda as in ip_inbetween_plan_make. */
ipos_status ip_plan_between(ip_inbetween *session, size_t left, size_t right, double time, ip_inbetween_variant variant, double lambda,
    ip_inbetween_plan **out);
/* The known frame before time; the next one lies after it. */
ipos_status ip_find_gap(const ip_inbetween *session, double time, size_t *left);
#endif
