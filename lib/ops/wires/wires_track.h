/* Inside tracking: the wires of one frame in work. find.c looks for them, settle.c judges what was found, paint.c makes the
 * matte, track.c walks from frame to frame. */
#ifndef IP_WIRES_TRACK_H
#define IP_WIRES_TRACK_H

#include "wires_op.h"

enum { IW_STARTS = 3 };

/* Where a wire may be: a curve, and how far its ends may have moved across it, plate pixels. */
typedef struct iw_start {
    ip_curve curve;
    float sweep;
} iw_start;

typedef struct iw_follow {
    size_t wire;
    bool search;    /* to be looked for now; else it is known and only in the way of the others */
    bool stroke;    /* drawn on this very frame */
    float width;    /* as the person said, plate pixels; 0: not said */
    float bend;     /* how far it may lie from a start whose ends were moved, plate pixels */
    float length;   /* on the frame with the stroke, plate pixels */
    bool whole;     /* both its ends were in the picture there */
    float tone[2];  /* at least and at most so bright it is, luma of the plate */
    float passes;   /* share of its points that passed before the scene where it was drawn */
    iw_start starts[IW_STARTS];
    size_t start_count;
    iw_seen *seen;
} iw_follow;

typedef struct iw_work {
    iw_shot *shot;
    size_t index;
    ip_box_i box;
    ip_plane_f luma;          /* of the plate */
    ip_plane_f plain, hinted; /* the detector's answers without and with hints */
    ip_plane_f lines;         /* how plainly straight lines run through, 0..1, as the answers; {0}: no wire that hardly bends is looked for */
    ip_plane_f passing;       /* the frame less what its neighbours show there, plate units; {0}: not known */
    iw_follow *follow;
    size_t count;
} iw_work;

/* Looks for every wire with `search` in the answer without hints, the plainest first: what one wire is made of is no other's. */
ipos_status iw_find(iw_work *w);
/* Limits of a wire's brightness, from what is seen of it on a frame where a person drew it; and the share of a trace's points that
 * contradict them. */
ipos_status iw_tone_learn(const iw_work *w, iw_seen *seen);
ipos_status iw_tone_contradiction(const iw_work *w, const iw_follow *f, const ip_trace *trace, float *share);
/* Share of the points seen at which something passes before the scene; and how far a trace at rest, 0..1, contradicts a wire that passed
 * where it was drawn: 0 on a frame with a stroke, where that is not known yet. */
float iw_passing_share(const iw_work *w, const ip_trace *trace);
float iw_rest(const iw_work *w, const iw_follow *f, const ip_trace *trace);
/* Follows a wire so found in the answer with hints, and says how sure it is, which points are painted, whether it is lost. */
ipos_status iw_settle(const iw_work *w, const iw_follow *f);
/* Wires that hardly bend, straight.c: the hints are carried on along the line of what is seen without them; and what was settled becomes
 * that line, as far as the answer with hints shows it, over gaps too. Others are left as they are. */
bool iw_stiff(const iw_work *w, const iw_follow *f);
ipos_status iw_straight_hint(const iw_work *w, const iw_follow *f, ip_plane_f *hints);
ipos_status iw_straighten(const iw_work *w, const iw_follow *f);
/* Fills in `lines`. */
ipos_status iw_lines_find(iw_work *w);
/* Direction of a curve's chord, radians. */
float iw_direction(const ip_curve *curve);
/* Largest distance of a curve from its chord. */
float iw_bend(const ip_curve *curve);
/* Alpha of the frame's wires: the answer within a corridor, at least a band of the wire's own width. */
ipos_status iw_paint(iw_work *w, bool shadow);

#endif
