#include "deflicker_internal.h"
#include "fit.h"
#include <math.h>

enum { ITERATIONS = 6, ACROSS = 4 };
static const double SCALE_LEAST = .001; /* of the residuals of rows */
/* Beside rows of weight about 1: pulls every path to a mean of 0, and knots without rows to their neighbours. */
static const double LEVEL = 1e-6, NEIGHBOUR = .01;

bool ip_band_factor(double *matrix, size_t n, size_t reach) {
    size_t width = reach + 1;
    for (size_t i = 0; i < n; i++) {
        double *row = matrix + i * width;
        size_t first = i > reach ? i - reach : 0;
        for (size_t j = first; j < i; j++) {
            const double *other = matrix + j * width;
            size_t from = IP_MAX(first, j > reach ? j - reach : 0);
            double sum = row[j + reach - i];
            for (size_t k = from; k < j; k++)
                sum -= row[k + reach - i] * other[k + reach - j];
            row[j + reach - i] = sum; /* L_ij D_j for now */
        }
        for (size_t j = first; j < i; j++) {
            double product = row[j + reach - i], d = matrix[j * width + reach];
            row[j + reach - i] = product / d;
            row[reach] -= product * product / d;
        }
        if (!(row[reach] > 0.))
            return false;
    }
    return true;
}

void ip_band_solve(const double *factor, size_t n, size_t reach, double *x) {
    size_t width = reach + 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i > reach ? i - reach : 0; j < i; j++)
            x[i] -= factor[i * width + j + reach - i] * x[j];
    for (size_t i = 0; i < n; i++)
        x[i] /= factor[i * width + reach];
    for (size_t i = n; i-- > 0;)
        for (size_t j = i > reach ? i - reach : 0; j < i; j++)
            x[j] -= factor[i * width + j + reach - i] * x[i];
}

double ip_band_inverse_trace(const double *factor, size_t n, size_t reach, double *work) {
    size_t width = reach + 1;
    double trace = 0.;
    for (size_t i = n; i-- > 0;) {
        size_t last = IP_MIN(n - 1, i + reach);
        for (size_t j = last + 1; j-- > i;) {
            double z = i == j ? 1. / factor[i * width + reach] : 0.;
            for (size_t k = i + 1; k <= last; k++) {
                size_t high = IP_MAX(k, j), low = IP_MIN(k, j);
                z -= factor[k * width + i + reach - k] * work[high * width + low + reach - high];
            }
            work[j * width + i + reach - j] = z;
        }
        trace += work[i * width + reach];
    }
    return trace;
}

typedef struct solving {
    const ip_path_row *rows;
    size_t count, n, knots, reach;
    double *matrix, *path;
    float *residual, *scratch;
    double unit; /* the median weight of the rows */
} solving;

/* Cubic B-splines about a place, in knots, between the outer two; the coefficient beyond an end is what keeps the spline natural: on the line
 * through the last two (de Boor, "A Practical Guide to Splines", 1978). Beyond them the line itself. */
static void spline(size_t knots, double place, size_t at[ACROSS], double factor[ACROSS]) {
    double last = (double)(knots - 1);
    size_t k = place <= 0. ? 0 : IP_MIN(knots - 2, (size_t)place);
    double t = place - (double)k, s = 1. - t;
    double b[ACROSS] = {s * s * s / 6., (4. - 6. * t * t + 3. * t * t * t) / 6., (4. - 6. * s * s + 3. * s * s * s) / 6., t * t * t / 6.};
    bool before = k == 0, after = k == knots - 2;
    if (place < 0. || place > last) {
        b[1] = s;
        b[2] = t;
        b[0] = b[3] = 0.;
    }
    factor[0] = before ? 0. : b[0];
    factor[1] = b[1] + (before ? 2. * b[0] : 0.) - (after ? b[3] : 0.);
    factor[2] = b[2] - (before ? b[0] : 0.) + (after ? 2. * b[3] : 0.);
    factor[3] = after ? 0. : b[3];
    at[0] = before ? k : k - 1;
    at[1] = k;
    at[2] = k + 1;
    at[3] = after ? k + 1 : k + 2;
}

/* A row's unknowns and factors, those of its two frames one after the other; how many there are. */
static size_t spread_row(const solving *s, const ip_path_row *row, size_t at[2 * ACROSS], double factor[2 * ACROSS]) {
    size_t across = s->knots > 1 ? ACROSS : 1;
    for (size_t side = 0; side < 2; side++) {
        size_t *to = at + side * across;
        double *by = factor + side * across;
        to[0] = 0;
        by[0] = 1.;
        if (s->knots > 1)
            spline(s->knots, (side ? row->there : row->here) - .5, to, by);
        for (size_t k = 0; k < across; k++) {
            to[k] += (side ? row->j : row->i) * s->knots;
            by[k] *= side ? -1. : 1.;
        }
    }
    return 2 * across;
}

/* From coefficients to values at the knots. */
static void values_at_knots(const solving *s) {
    for (size_t i = 0; i < s->n && s->knots > 1; i++) {
        double *c = s->path + i * s->knots, before = c[0];
        for (size_t k = 1; k + 1 < s->knots; k++) {
            double here = c[k];
            c[k] = (before + 4. * here + c[k + 1]) / 6.;
            before = here;
        }
    }
}

static void add_to(const solving *s, size_t a, size_t b, double value) {
    size_t high = IP_MAX(a, b), low = IP_MIN(a, b);
    s->matrix[high * (s->reach + 1) + low + s->reach - high] += value;
}

static void add_row(const solving *s, const ip_path_row *row, double weight) {
    size_t at[2 * ACROSS];
    double factor[2 * ACROSS];
    size_t count = spread_row(s, row, at, factor);
    for (size_t a = 0; a < count; a++) {
        s->path[at[a]] += weight * factor[a] * row->value;
        for (size_t b = 0; b < count; b++)
            if (at[b] <= at[a])
                add_to(s, at[a], at[b], weight * factor[a] * factor[b]);
    }
}

static void add_priors(const solving *s) {
    for (size_t i = 0; i < s->n * s->knots; i++) {
        add_to(s, i, i, LEVEL);
        if (i % s->knots + 1 < s->knots) {
            add_to(s, i, i, NEIGHBOUR);
            add_to(s, i + 1, i + 1, NEIGHBOUR);
            add_to(s, i + 1, i, -NEIGHBOUR);
        }
    }
}

static double read_residuals(const solving *s) {
    for (size_t r = 0; r < s->count; r++) {
        size_t at[2 * ACROSS];
        double factor[2 * ACROSS], value = s->rows[r].value;
        size_t count = spread_row(s, &s->rows[r], at, factor);
        for (size_t a = 0; a < count; a++)
            value -= factor[a] * s->path[at[a]];
        s->residual[r] = (float)value;
        s->scratch[r] = fabsf((float)value);
    }
    return 1.5 * fmax(SCALE_LEAST, ip_select(s->scratch, s->count, s->count / 2));
}

static ipos_status solve(const solving *s) {
    size_t unknowns = s->n * s->knots;
    double scale = 0.;
    for (size_t r = 0; r < s->count; r++)
        s->residual[r] = 0.f;
    for (int k = 0; k < ITERATIONS; k++) {
        memset(s->matrix, 0, unknowns * (s->reach + 1) * sizeof *s->matrix);
        memset(s->path, 0, unknowns * sizeof *s->path);
        for (size_t r = 0; r < s->count; r++) {
            double q = scale > 0. ? s->residual[r] / scale : 0.;
            add_row(s, &s->rows[r], s->rows[r].weight / s->unit / (1. + q * q));
        }
        add_priors(s);
        if (!ip_band_factor(s->matrix, unknowns, s->reach))
            return ip_fail(IPOS_ERR_UNKNOWN, "deflicker: the equations of %zu frames have no solution", s->n);
        ip_band_solve(s->matrix, unknowns, s->reach, s->path);
        scale = read_residuals(s);
    }
    values_at_knots(s);
    return IPOS_OK;
}

ipos_status ip_deflicker_path(const ip_path_row *rows, size_t count, size_t n, size_t knots, double *path) {
    memset(path, 0, n * knots * sizeof *path);
    if (count == 0)
        return IPOS_OK;
    solving s = {.rows = rows, .count = count, .n = n, .knots = knots, .reach = IP_DEFLICKER_REACH * knots + knots - 1, .path = path};
    s.matrix = ip_calloc(n * knots * (s.reach + 1), sizeof *s.matrix);
    s.residual = ip_calloc(count, sizeof *s.residual);
    s.scratch = ip_calloc(count, sizeof *s.scratch);
    ipos_status status = s.matrix && s.residual && s.scratch ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        for (size_t r = 0; r < count; r++)
            s.scratch[r] = rows[r].weight;
        s.unit = fmax(1e-9, ip_select(s.scratch, count, count / 2));
        status = solve(&s);
    }
    ip_free(s.matrix);
    ip_free(s.residual);
    ip_free(s.scratch);
    return status;
}
