/* Following a curve from frame to frame: the best path through a map of how likely each pixel shows a wire. */
#ifndef IP_WIRE_TRACK_H
#define IP_WIRE_TRACK_H

#include "curve.h"
#include "image.h"

/* A map 0..1 over a part of the picture: sample (i, j) belongs to the pixel (x + i, y + j) of the picture the curves live in. */
typedef struct ip_wire_map {
    ip_plane_f plane;
    int x, y;
} ip_wire_map;

typedef struct ip_trace_options {
    float step;     /* distance of stations along the curve, pixels */
    float sweep;    /* both ends may first move so far across the curve, what lies between them in proportion, pixels; 0: no */
    float reach;    /* how far from the curve so found to look, pixels */
    float stay;     /* cost of lying at `reach` from the prediction, in units of -log(map) */
    float grow;     /* both ends are tried this much longer, pixels; 0: as they are */
} ip_trace_options;

/* A curve with how much of a wire it shows at each point. */
typedef struct ip_trace {
    ip_curve curve;
    float *seen; /* 0..1: the map's largest value within 1.5 pixels, smoothed over 5 points */
} ip_trace;
void ip_trace_free(ip_trace *trace);

/* Dynamic programming over offsets along the normals of `predicted` (Amini, Weymouth, Jain, PAMI 1990), three times with less reach,
 * each time from the curve before. Every point costs -log(map + .03); leaving the map costs as much as nothing seen. */
ipos_status ip_trace_find(const ip_wire_map *map, const ip_curve *predicted, const ip_trace_options *options, ip_trace *out);
/* What the map shows along a curve as it stands. */
ipos_status ip_trace_read(const ip_wire_map *map, const ip_curve *curve, ip_trace *out);
/* Cuts at most `most` points from each end, back to where the wire is seen by `enough` over five points; and all that lie outside
 * 0..width x 0..height. */
void ip_trace_trim(ip_trace *trace, float enough, size_t most, float width, float height);
/* Share of points that see at least `enough`, 0 for an empty trace. */
float ip_trace_share(const ip_trace *trace, float enough);

/* Paints a soft band along the curve into plane (picture position x, y of its first sample): 1 within `half` pixels of it, falling to 0
 * over `soft` pixels more; the larger of that and what is there. Points with use[i] == 0 (use may be NULL) are left out. */
void ip_curve_band(const ip_curve *curve, const uint8_t *use, float half, float soft, int x, int y, ip_plane_f *plane);

/* Width of the line under a curve: of the profile of `luma` across it at half its height, at most `most`; the median over its points. 0
 * where nothing stands out. */
ipos_status ip_curve_width(const ip_plane_f *luma, const ip_curve *curve, float most, float *width);

#endif
