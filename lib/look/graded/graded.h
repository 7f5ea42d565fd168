/* A suggestion for shots that show nothing in common, learned from shots of the production that look as they should. */
#ifndef IP_LOOK_GRADED_H
#define IP_LOOK_GRADED_H

#include "shot_match.h"

/* One half of a picture is put under a random known grade (exposure, balance, slope, offset, power, contrast, saturation) and the other half, which lies
 * elsewhere in the set, is the reference: from figures of both (colour_figures.h) a kernel regression learns the grade that leads back. So it knows how
 * much two halves of such pictures differ by themselves, and what the production's pictures look like, which colours alone do not say. */
typedef struct ip_graded ip_graded;

/* What it reached on shots that it had not seen, and what without it: mean CIEDE2000 to the picture as it was. */
typedef struct ip_graded_score {
    int64_t shots, examples;       /* that show enough which is neither black nor clipped */
    double none, colours, learned; /* left alone; ip_suggest_gains; this */
    bool better;                   /* than both by at least a twentieth, which is when it is to be used */
} ip_graded_score;

enum { IP_GRADED_SHOTS_LEAST = 4, IP_GRADED_SHOTS_MOST = 48 };

/* seed: of the grades. The caller frees. */
ipos_status ip_graded_new(uint64_t seed, ip_graded **out);
/* Up to six frames of a shot, evenly spread; what is over IP_GRADED_SHOTS_MOST shots is left out. All in one encoding, else IPOS_ERR_ARGUMENT. */
ipos_status ip_graded_add(ip_graded *graded, const ip_look_source *shot);
/* Once all are added. Fewer than IP_GRADED_SHOTS_LEAST: IPOS_OK, and score->better false. */
ipos_status ip_graded_learn(ip_graded *graded, ip_graded_score *score);
/* In place of the suggestion in match, which has measured these two and found nothing that both show; only where the score is better. */
ipos_status ip_graded_suggest(const ip_graded *graded, const ip_look_source *shot, const ip_look_source *reference, ip_shot_match *match);
void ip_graded_free(ip_graded *graded);

#endif
