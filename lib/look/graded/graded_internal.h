/* Inside the room: parts of pictures, examples made of them. */
#ifndef IP_LOOK_GRADED_INTERNAL_H
#define IP_LOOK_GRADED_INTERNAL_H

#include "colour_figures.h"
#include "graded.h"
#include "kernel_fit.h"

enum {
    IP_PART_MOST = 600,
    IP_GRADED_IN = 2 * IP_COLOUR_FIGURES, /* the reference's figures less the shot's; the shot's */
    IP_GRADED_OUT = 10                    /* by how much dark, middle and bright grey of every channel change; log of saturation */
};

/* Colours of a part of pictures, working encoding, evenly spread. */
typedef struct ip_part {
    size_t count;
    float code[IP_PART_MOST][3];
    uint8_t tile[IP_PART_MOST]; /* of a 3x3 raster over the part */
} ip_part;

typedef struct ip_example {
    int64_t shot;
    double in[IP_GRADED_IN], out[IP_GRADED_OUT];
    ip_part was, graded; /* the same places */
    const ip_part *reference;
} ip_example;

struct ip_graded {
    uint64_t seed;
    ip_look_source like; /* encoding and clip of the first shot */
    int64_t shots;
    ip_part *part;       /* four of each frame: left, right, upper, lower */
    int64_t *shot;       /* that a frame is of */
    size_t frames;
    ip_kernel_fit fit;
    ip_graded_score score;
};

/* graded_parts.c. A frame in the working encoding, a little soft. */
ipos_status ip_part_picture(const ip_look_source *source, size_t index, ip_image3 *out);
/* Adds the colours of a box of it, at most `most`. */
void ip_part_add(const ip_image3 *picture, ip_box_i box, size_t most, ip_part *out);
/* A random grade, drawn for this example, over all of a part. */
void ip_part_grade(const ip_look_source *source, const ip_part *was, ip_rng *rng, ip_part *out);
/* The grade that leads from the graded part back to what it was, as outputs. Not usable: too little of it is neither black nor clipped. */
ipos_status ip_part_way_back(const ip_look_source *like, const ip_part *graded, const ip_part *was, double out[IP_GRADED_OUT], bool *usable);
/* The change that outputs stand for as a grade fitted to the part's colours, which pairs then hold before and after it. */
ipos_status ip_part_change(const ip_part *part, const double out[IP_GRADED_OUT], ip_grade_pair pairs[IP_PART_MOST], ip_grade *grade);
ipos_status ip_part_inputs(const ip_look_source *like, const ip_part *shot, const ip_part *reference, double in[IP_GRADED_IN]);

/* graded_judge.c. Learns with every eighth shot left out and judges on those. */
ipos_status ip_graded_judge(const ip_look_source *like, const ip_example *examples, size_t count, ip_graded_score *score);
/* Without the shots of one fold; -1: of all. */
ipos_status ip_graded_fit(const ip_example *examples, size_t count, int64_t fold, ip_kernel_fit *out);

#endif
