/* Robust linear fits of few unknowns to many rows, and order statistics. */
#ifndef IP_LOOK_FIT_H
#define IP_LOOK_FIT_H

#include "core.h"

enum { IP_FIT_MOST = 10, IP_FIT_TAGS = 32 };

/* y = x . solution + offset of the row's block. */
typedef struct ip_fit_row {
    float x[IP_FIT_MOST], y, weight;
    uint16_t block;
    uint8_t tag; /* below IP_FIT_TAGS: fits can be made of some tags alone */
} ip_fit_row;

typedef struct ip_fit_rows { /* begins as {.unknowns = n} */
    int unknowns;
    size_t count, room;
    ip_fit_row *row;
} ip_fit_rows;
ipos_status ip_fit_add(ip_fit_rows *rows, const ip_fit_row *row);
void ip_fit_free(ip_fit_rows *rows);

typedef struct ip_fit_options {
    uint32_t tags;    /* bit t: rows of tag t take part */
    int iterations;   /* at most, of re-weighting by Cauchy's function, its scale 1.5 times the median absolute residual */
    int blocks;       /* 0: no offsets; else every block's offset is eliminated */
    bool positive;    /* no solution below 0 */
    double floor;     /* of the median absolute residual, e.g. what rounding of samples makes */
} ip_fit_options;

typedef struct ip_fit_result {
    double solution[IP_FIT_MOST];
    double error[IP_FIT_MOST];  /* standard errors as if the weighted rows were independent */
    double explained;           /* share of the weighted squares of y, 0..1 */
    double scale;               /* median absolute residual */
    size_t rows;
} ip_fit_result;
/* No rows, or rows that do not fix the unknowns: solution and explained 0. */
ipos_status ip_fit(const ip_fit_rows *rows, const ip_fit_options *options, ip_fit_result *out);

/* Least x'Nx - 2 b'x with all x >= 0: the best of all sets of active unknowns, exact for the few there are. N is row-major n x n. */
void ip_nnls(const double *N, const double *b, int n, double *x);
/* Solves Nx = b for symmetric positive N (Cholesky); false if it is not. */
bool ip_solve(const double *N, const double *b, int n, double *x);

/* The value with `rank` smaller ones; reorders values. count > 0. */
float ip_select(float *values, size_t count, size_t rank);
float ip_quantile(float *values, size_t count, double share); /* nearest rank; reorders */

#endif
