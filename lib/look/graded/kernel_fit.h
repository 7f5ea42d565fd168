/* A smooth function of many figures from few examples: kernel ridge regression (Saunders, Gammerman, Vovk, ICML 1998), which is the mean of a Gaussian
 * process (Rasmussen, Williams, "Gaussian Processes for Machine Learning", 2006, 2.3). The kernel is a Gaussian of the distance plus a plane. */
#ifndef IP_LOOK_KERNEL_FIT_H
#define IP_LOOK_KERNEL_FIT_H

#include "core.h"

enum { IP_KERNEL_INPUTS = 64 };

typedef struct ip_kernel_fit { /* begins as {0} */
    size_t rows;
    int inputs, outputs;
    double *mean, *deviation; /* of the inputs */
    double *middle;           /* of the outputs */
    double *at, *weight;      /* rows x inputs, normalised; rows x outputs */
} ip_kernel_fit;

/* x: rows x inputs, y: rows x outputs, row by row; at least one row, at most IP_KERNEL_INPUTS inputs. Memory: rows^2 doubles while it fits. */
ipos_status ip_kernel_fit_new(const double *x, const double *y, size_t rows, int inputs, int outputs, ip_kernel_fit *out);
void ip_kernel_fit_at(const ip_kernel_fit *fit, const double *x, double *y);
void ip_kernel_fit_free(ip_kernel_fit *fit);

#endif
