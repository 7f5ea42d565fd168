/* The state behind ip_inbetween; only for the files of the in-between. */
#ifndef IP_SESSION_H
#define IP_SESSION_H

#include "inbetween_plan.h"
#include "match.h"
#include <pthread.h>

enum { IP_FRAME_SLOTS = 8, IP_FLOW_SLOTS = 12, IP_FLOW_BATCH = 8, IP_OVERRIDE_SLOTS = 3 };

typedef struct ip_seen_slot {
    uint64_t used; /* 0: empty */
    size_t index;
    ip_seen seen;
} ip_seen_slot;

typedef struct ip_flow_slot {
    uint64_t used;
    ip_flow_key key;
    ip_plane_f flow[2];
} ip_flow_slot;

typedef struct ip_override_slot {
    uint64_t used;
    size_t from, to;
    ip_override sides[2];
} ip_override_slot;

/* A known frame predicted from its own neighbours. */
typedef struct ip_left_out {
    bool done, possible;
    double psnr[IP_INBETWEEN_VARIANTS];
    bool path_done, path_possible;
    double path[3]; /* as ip_trajectory_evidence gives them */
} ip_left_out;

struct ip_inbetween {
    ip_inbetween_source source;
    double *times;
    bool active_known;
    ip_box_i active;
    uint64_t clock;
    int frame_slots, flow_slots; /* in use */
    ip_seen_slot frames[IP_FRAME_SLOTS];
    ip_flow_slot flows[IP_FLOW_SLOTS];
    ip_override_slot overrides[IP_OVERRIDE_SLOTS];
    ip_left_out *loo; /* by known frame */
    ip_pulse pulse;
    pthread_t owner;     /* the thread that called: ticks are given on it alone */
    double last_tick;
    atomic_bool stopped; /* a tick failed in the middle of a step */
};

#endif
