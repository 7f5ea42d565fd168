#include "fit.h"
#include <math.h>

ipos_status ip_fit_add(ip_fit_rows *rows, const ip_fit_row *row) {
    if (rows->count == rows->room) {
        size_t room = rows->room ? 2 * rows->room : 4096;
        ip_fit_row *more = ip_realloc(rows->row, room * sizeof *more);
        if (!more)
            return IPOS_ERR_NO_MEMORY;
        rows->row = more;
        rows->room = room;
    }
    rows->row[rows->count++] = *row;
    return IPOS_OK;
}

void ip_fit_free(ip_fit_rows *rows) {
    ip_free(rows->row);
    rows->row = NULL;
    rows->count = rows->room = 0;
}

float ip_select(float *values, size_t count, size_t rank) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            float t = values[i];
            values[i++] = values[j];
            values[j--] = t;
        }
        if (rank <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[rank];
}

float ip_quantile(float *values, size_t count, double share) {
    double rank = share * (double)(count - 1) + .5;
    return ip_select(values, count, IP_MIN(count - 1, (size_t)fmax(0., rank)));
}

bool ip_solve(const double *N, const double *b, int n, double *x) {
    double L[IP_FIT_MOST][IP_FIT_MOST], y[IP_FIT_MOST];
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = N[i * n + j];
            for (int k = 0; k < j; k++)
                sum -= L[i][k] * L[j][k];
            if (i > j)
                L[i][j] = sum / L[j][j];
            else if (sum > 1e-12 * N[i * n + i])
                L[i][i] = sqrt(sum);
            else
                return false;
        }
        y[i] = b[i];
        for (int k = 0; k < i; k++)
            y[i] -= L[i][k] * y[k];
        y[i] /= L[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
        x[i] = y[i];
        for (int k = i + 1; k < n; k++)
            x[i] -= L[k][i] * x[k];
        x[i] /= L[i][i];
    }
    return true;
}

/* The unconstrained solution of the unknowns in set; false where it does not exist or goes below 0. gain: what it takes off the squares. */
static bool solve_set(const double *N, const double *b, int n, unsigned set, double *x, double *gain) {
    int index[IP_FIT_MOST], m = 0;
    double part[IP_FIT_MOST * IP_FIT_MOST] = {0}, right[IP_FIT_MOST] = {0}, found[IP_FIT_MOST];
    for (int i = 0; i < n; i++)
        if (set >> i & 1)
            index[m++] = i;
    for (int i = 0; i < m; i++) {
        right[i] = b[index[i]];
        for (int j = 0; j < m; j++)
            part[i * m + j] = N[index[i] * n + index[j]];
    }
    if (!ip_solve(part, right, m, found))
        return false;
    *gain = 0.;
    memset(x, 0, (size_t)n * sizeof *x);
    for (int i = 0; i < m; i++) {
        if (!(found[i] >= 0.))
            return false;
        x[index[i]] = found[i];
        *gain += found[i] * right[i];
    }
    return true;
}

void ip_nnls(const double *N, const double *b, int n, double *x) {
    double best = 0., trial[IP_FIT_MOST], gain;
    memset(x, 0, (size_t)n * sizeof *x);
    for (unsigned set = 1; set < 1u << n; set++)
        if (solve_set(N, b, n, set, trial, &gain) && gain > best) {
            best = gain;
            memcpy(x, trial, (size_t)n * sizeof *x);
        }
}

/* Sums of one block: weight, w x, w y, and the products. */
typedef struct sums {
    double w, x[IP_FIT_MOST], y, xx[IP_FIT_MOST * IP_FIT_MOST], xy[IP_FIT_MOST], yy;
} sums;

typedef struct fitting {
    const ip_fit_rows *rows;
    const ip_fit_options *options;
    sums *block;
    float *residual, *scratch;
    double scale; /* of Cauchy's function; 0: none yet */
} fitting;

static inline bool takes_part(const fitting *f, const ip_fit_row *row) { return f->options->tags >> row->tag & 1; }

static inline __attribute__((always_inline)) void add_terms(sums *s, const ip_fit_row *row, double weight, int n) {
    s->w += weight;
    s->y += weight * row->y;
    s->yy += weight * row->y * row->y;
    for (int i = 0; i < n; i++) {
        s->x[i] += weight * row->x[i];
        s->xy[i] += weight * row->x[i] * row->y;
        for (int j = 0; j <= i; j++)
            s->xx[i * n + j] += weight * row->x[i] * row->x[j];
    }
}

/* The few unknowns that most fits have, known to the compiler. */
static inline void add_row(sums *s, const ip_fit_row *row, double weight, int n) {
    switch (n) {
    case 1: add_terms(s, row, weight, 1); break;
    case 2: add_terms(s, row, weight, 2); break;
    case 3: add_terms(s, row, weight, 3); break;
    default: add_terms(s, row, weight, n);
    }
}

/* Adds a block's sums to the total, its offset eliminated. */
static void add_block(sums *total, const sums *s, int n, bool centred) {
    double inverse = centred && s->w > 0. ? 1. / s->w : 0.;
    total->w += s->w;
    total->yy += s->yy - s->y * s->y * inverse;
    for (int i = 0; i < n; i++) {
        total->xy[i] += s->xy[i] - s->x[i] * s->y * inverse;
        for (int j = 0; j <= i; j++)
            total->xx[i * n + j] += s->xx[i * n + j] - s->x[i] * s->x[j] * inverse;
    }
}

static void weigh(const fitting *f, sums *total) {
    const ip_fit_rows *rows = f->rows;
    int n = rows->unknowns, blocks = IP_MAX(1, f->options->blocks);
    memset(f->block, 0, (size_t)blocks * sizeof *f->block);
    for (size_t i = 0; i < rows->count; i++) {
        const ip_fit_row *row = &rows->row[i];
        if (!takes_part(f, row))
            continue;
        double q = f->scale > 0. ? f->residual[i] / f->scale : 0.;
        add_row(&f->block[f->options->blocks ? row->block : 0], row, row->weight / (1. + q * q), n);
    }
    *total = (sums){0};
    for (int b = 0; b < blocks; b++)
        add_block(total, &f->block[b], n, f->options->blocks > 0);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            total->xx[i * n + j] = total->xx[j * n + i];
}

/* Residuals with each block's own offset; sets the scale to 1.5 times the median absolute one and returns the median. */
static double residuals(fitting *f, const double *solution) {
    int n = f->rows->unknowns;
    size_t count = 0;
    for (size_t i = 0; i < f->rows->count; i++) {
        const ip_fit_row *row = &f->rows->row[i];
        if (!takes_part(f, row))
            continue;
        const sums *s = &f->block[f->options->blocks ? row->block : 0];
        double offset = f->options->blocks && s->w > 0. ? s->y / s->w : 0., value = row->y;
        for (int k = 0; k < n; k++) {
            value -= solution[k] * row->x[k];
            if (f->options->blocks && s->w > 0.)
                offset -= solution[k] * s->x[k] / s->w;
        }
        f->residual[i] = (float)(value - offset);
        f->scratch[count++] = fabsf(f->residual[i]);
    }
    double median = count ? ip_select(f->scratch, count, count / 2) : 0.;
    f->scale = 1.5 * fmax(median, fmax(1e-9, f->options->floor));
    return median;
}

/* Whether re-weighting has come to rest; keeps the solution in before. */
static bool settled(const double *solution, int n, double *before) {
    double change = 0., size = 0.;
    for (int i = 0; i < n; i++) {
        change = fmax(change, fabs(solution[i] - before[i]));
        size = fmax(size, fabs(solution[i]));
        before[i] = solution[i];
    }
    return change <= 1e-6 * size;
}

static bool solve(const sums *total, int n, bool positive, double *solution) {
    if (!positive)
        return ip_solve(total->xx, total->xy, n, solution);
    ip_nnls(total->xx, total->xy, n, solution);
    return true;
}

/* Standard errors from the inverse of the normal equations. */
static void errors(const sums *total, int n, double variance, double *error) {
    for (int i = 0; i < n; i++) {
        double unit[IP_FIT_MOST] = {0}, column[IP_FIT_MOST];
        unit[i] = 1.;
        error[i] = ip_solve(total->xx, unit, n, column) ? sqrt(fmax(0., variance * column[i])) : 0.;
    }
}

static void finish(const fitting *f, const sums *total, double median, ip_fit_result *out) {
    int n = f->rows->unknowns;
    double left = total->yy;
    for (int i = 0; i < n; i++) {
        left -= 2. * out->solution[i] * total->xy[i];
        for (int j = 0; j < n; j++)
            left += out->solution[i] * out->solution[j] * total->xx[i * n + j];
    }
    out->explained = total->yy > 0. ? fmin(1., fmax(0., 1. - left / total->yy)) : 0.;
    out->scale = median;
    errors(total, n, total->w > 0. ? left / total->w : 0., out->error);
}

ipos_status ip_fit(const ip_fit_rows *rows, const ip_fit_options *options, ip_fit_result *out) {
    *out = (ip_fit_result){0};
    fitting f = {.rows = rows, .options = options};
    f.block = ip_calloc((size_t)IP_MAX(1, options->blocks), sizeof *f.block);
    f.residual = ip_calloc(2 * (rows->count + 1), sizeof(float));
    ipos_status status = f.block && f.residual ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        f.scratch = f.residual + rows->count;
        for (size_t i = 0; i < rows->count; i++)
            out->rows += takes_part(&f, &rows->row[i]);
        sums total = {0};
        bool solved = out->rows > 0;
        double median = 0., before[IP_FIT_MOST] = {0};
        bool rest = false;
        for (int i = 0; i <= options->iterations && solved && !rest; i++) {
            weigh(&f, &total);
            solved = solve(&total, rows->unknowns, options->positive, out->solution);
            if (solved)
                median = residuals(&f, out->solution);
            rest = solved && i > 0 && settled(out->solution, rows->unknowns, before);
        }
        if (solved)
            finish(&f, &total, median, out);
        else
            memset(out->solution, 0, sizeof out->solution);
    }
    ip_free(f.block);
    ip_free(f.residual);
    return status;
}
