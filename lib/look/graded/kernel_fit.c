#include "kernel_fit.h"
#include <math.h>

/* Chosen on davis_bear, davis_parkour, intel_person, sam2_coffee, wire_wrv2 and four shots of tos_battle_a, each predicted from all others: how fast the Gaussian
 * falls per input, what the plane weighs, and the ridge. A third of FALL costs a fourteenth of the error; four times the RIDGE a twentieth. */
static const double FALL = .3, PLANE = .3, RIDGE = .5;

static double kernel(const double *a, const double *b, int n) {
    double apart = 0., along = 0.;
    for (int k = 0; k < n; k++) {
        apart += (a[k] - b[k]) * (a[k] - b[k]);
        along += a[k] * b[k];
    }
    return exp(-FALL * apart / n) + PLANE * along / n;
}

/* Lower triangle of K = L L' in place; the ridge keeps K positive. */
static void cholesky(double *K, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = K[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= K[i * n + k] * K[j * n + k];
            K[i * n + j] = i == j ? sqrt(sum) : sum / K[j * n + j];
        }
}

/* Solves L L' w = w in place, of rows x outputs. */
static void solve(const double *L, size_t n, double *w, int outputs) {
    for (int o = 0; o < outputs; o++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < i; k++)
                w[i * (size_t)outputs + (size_t)o] -= L[i * n + k] * w[k * (size_t)outputs + (size_t)o];
            w[i * (size_t)outputs + (size_t)o] /= L[i * n + i];
        }
        for (size_t i = n; i-- > 0;) {
            for (size_t k = i + 1; k < n; k++)
                w[i * (size_t)outputs + (size_t)o] -= L[k * n + i] * w[k * (size_t)outputs + (size_t)o];
            w[i * (size_t)outputs + (size_t)o] /= L[i * n + i];
        }
    }
}

/* Mean of every column, and deviation where asked for. */
static void columns(const double *table, size_t rows, int count, double *mean, double *deviation) {
    for (int k = 0; k < count; k++) {
        double sum = 0., squares = 0.;
        for (size_t i = 0; i < rows; i++)
            sum += table[i * (size_t)count + (size_t)k];
        mean[k] = sum / (double)rows;
        for (size_t i = 0; i < rows; i++)
            squares += pow(table[i * (size_t)count + (size_t)k] - mean[k], 2.);
        if (deviation)
            deviation[k] = sqrt(squares / (double)rows) + 1e-9;
    }
}

static ipos_status room_for(ip_kernel_fit *fit) {
    const size_t inputs = (size_t)fit->inputs, outputs = (size_t)fit->outputs;
    fit->mean = ip_calloc(inputs, sizeof(double));
    fit->deviation = ip_calloc(inputs, sizeof(double));
    fit->middle = ip_calloc(outputs, sizeof(double));
    fit->at = ip_calloc(fit->rows * inputs, sizeof(double));
    fit->weight = ip_calloc(fit->rows * outputs, sizeof(double));
    return fit->mean && fit->deviation && fit->middle && fit->at && fit->weight ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

ipos_status ip_kernel_fit_new(const double *x, const double *y, size_t rows, int inputs, int outputs, ip_kernel_fit *out) {
    *out = (ip_kernel_fit){.rows = rows, .inputs = inputs, .outputs = outputs};
    double *K = ip_calloc(rows * rows, sizeof *K);
    ipos_status status = K ? room_for(out) : IPOS_ERR_NO_MEMORY;
    if (status != IPOS_OK) {
        ip_free(K);
        ip_kernel_fit_free(out);
        return status;
    }
    columns(x, rows, inputs, out->mean, out->deviation);
    columns(y, rows, outputs, out->middle, NULL);
    for (size_t i = 0; i < rows; i++) {
        for (int k = 0; k < inputs; k++)
            out->at[i * (size_t)inputs + (size_t)k] = (x[i * (size_t)inputs + (size_t)k] - out->mean[k]) / out->deviation[k];
        for (int o = 0; o < outputs; o++)
            out->weight[i * (size_t)outputs + (size_t)o] = y[i * (size_t)outputs + (size_t)o] - out->middle[o];
        for (size_t j = 0; j <= i; j++)
            K[i * rows + j] = kernel(out->at + i * (size_t)inputs, out->at + j * (size_t)inputs, inputs) + (i == j ? RIDGE : 0.);
    }
    cholesky(K, rows);
    solve(K, rows, out->weight, outputs);
    ip_free(K);
    return IPOS_OK;
}

void ip_kernel_fit_at(const ip_kernel_fit *fit, const double *x, double *y) {
    double z[IP_KERNEL_INPUTS];
    for (int k = 0; k < fit->inputs; k++)
        z[k] = (x[k] - fit->mean[k]) / fit->deviation[k];
    memcpy(y, fit->middle, (size_t)fit->outputs * sizeof *y);
    for (size_t i = 0; i < fit->rows; i++) {
        const double near = kernel(z, fit->at + i * (size_t)fit->inputs, fit->inputs);
        for (int o = 0; o < fit->outputs; o++)
            y[o] += near * fit->weight[i * (size_t)fit->outputs + (size_t)o];
    }
}

void ip_kernel_fit_free(ip_kernel_fit *fit) {
    ip_free(fit->mean);
    ip_free(fit->deviation);
    ip_free(fit->middle);
    ip_free(fit->at);
    ip_free(fit->weight);
    *fit = (ip_kernel_fit){0};
}
