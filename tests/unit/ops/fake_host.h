/* An ip_op_host over frames made on the spot: what an operation asks for and hands back is kept for the test to look at. */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include "color.h"
#include "op.h"

enum { FAKE_MAX = 64, FAKE_CLIPS = 4 };
typedef struct fake_host {
    ip_op_host host;
    ip_op_clip clips[FAKE_CLIPS];
    ipos_status (*make[FAKE_CLIPS])(int64_t number, ipos_frame **out);
    int64_t fetched[1024];
    int fetches;
    struct {
        char variant[32];
        ipos_rational time;
        double confidence;
        ipos_frame *picture, *evidence;
    } emitted[FAKE_MAX];
    int emits;
    struct {
        char variant[32];
        int rank;
        double score;
    } variants[FAKE_MAX];
    int variant_count;
    void *model;
    size_t model_bytes;
    char *measured, *details; /* of the first variant */
    int checkpoints, previews;
} fake_host;
/* options: name, value, name, value, ..., NULL */
void fake_open(fake_host *fake, const ip_op_spec *spec, int64_t first, int64_t last, const char *encoding,
    ipos_status (*make)(int64_t, ipos_frame **), const char *const *options);
/* One more clip in a role; frames it is asked for beyond first..last are not found. */
void fake_role(fake_host *fake, const char *role, int64_t first, int64_t last, const char *encoding, ipos_status (*make)(int64_t, ipos_frame **));
void fake_times(fake_host *fake, const ipos_rational *times, size_t count);
ipos_frame *fake_picture(const fake_host *fake, const char *variant, ipos_rational time); /* NULL: none */
ipos_frame *fake_evidence(const fake_host *fake, const char *variant, ipos_rational time);
bool fake_fetched(const fake_host *fake, int64_t number);
void fake_close(fake_host *fake);

#endif
