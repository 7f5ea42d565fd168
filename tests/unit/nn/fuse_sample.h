#ifndef FUSE_SAMPLE_H
#define FUSE_SAMPLE_H

#include "fuse.h"

/* Made-up pictures for the fusion network: the B candidates come close to the target, the logits prefer the worse A. */
typedef struct fuse_sample {
    ip_fuse_example example;
    float *planes;
} fuse_sample;
void fuse_sample_new(fuse_sample *sample, int width, int height, uint64_t seed);
void fuse_sample_free(fuse_sample *sample);

#endif
