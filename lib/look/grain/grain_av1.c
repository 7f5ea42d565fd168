/* The AV1 film-grain model (AV1 Bitstream Specification 7.18.3) from ours, as the text that aomenc writes. */
#include "grain_internal.h"
#include <math.h>
#include <stdlib.h>

enum { LAG = 3, ROW = 2 * LAG + 1, TAPS = LAG * ROW + LAG, TEMPLATE = 32 /* deviation of white template noise at 8 bits */ };
static const double TEMPLATE_MOST = 42.; /* a template of a larger deviation is cut off at 127 */

typedef double spectrum[64][64];

static int tap_x(int i) { return i % ROW - LAG; }
static int tap_y(int i) { return i / ROW - LAG; }

static double lag_of(spectrum s, int x, int y) {
    double sum = 0, all = 0;
    for (int v = 0; v < 64; v++)
        for (int u = 0; u < 64; u++) {
            sum += s[v][u] * cos(6.283185307179586 * ((u * x + v * y) & 63) / 64);
            all += s[v][u];
        }
    return all > 0 ? sum / all : 0;
}

/* Lags of a spectrum up to 2 * LAG, by plane or after means of 2x2 at every second sample. */
typedef struct lag_table {
    double at[4 * LAG + 1][4 * LAG + 1];
} lag_table;
static double table_at(const lag_table *t, int x, int y) { return t->at[y + 2 * LAG][x + 2 * LAG]; }

static void tabulate(spectrum s, bool halved, lag_table *out) {
    for (int y = -2 * LAG; y <= 2 * LAG; y++)
        for (int x = -2 * LAG; x <= 2 * LAG; x++) {
            double sum = 0;
            for (int j = -1; j <= 1 && halved; j++)
                for (int i = -1; i <= 1; i++)
                    sum += (2 - abs(i)) * (2 - abs(j)) / 16. * lag_of(s, 2 * x + i, 2 * y + j);
            out->at[y + 2 * LAG][x + 2 * LAG] = halved ? sum : lag_of(s, x, y);
        }
}

/* Gaussian elimination with pivots, n <= TAPS + 1. A little noise on the diagonal keeps it regular. */
static void solve(double m[TAPS + 1][TAPS + 2], int n, double *x) {
    for (int i = 0; i < n; i++)
        m[i][i] += 1e-4;
    for (int i = 0; i < n; i++) {
        int best = i;
        for (int k = i + 1; k < n; k++)
            if (fabs(m[k][i]) > fabs(m[best][i]))
                best = k;
        for (int j = 0; j <= n; j++) {
            double t = m[i][j];
            m[i][j] = m[best][j];
            m[best][j] = t;
        }
        for (int k = i + 1; k < n; k++)
            for (int j = n; j >= i; j--)
                m[k][j] -= m[k][i] / m[i][i] * m[i][j];
    }
    for (int i = n - 1; i >= 0; i--) {
        x[i] = m[i][n];
        for (int j = i + 1; j < n; j++)
            x[i] -= m[i][j] * x[j];
        x[i] /= m[i][i];
    }
}

/* Yule-Walker on unit variance. luma: correlation with the luma grain at the same place (chroma), 0 otherwise; x[TAPS] is its weight.
 * Returns the variance of what is new at each sample. */
static double auto_regression(const lag_table *own, double luma, double x[TAPS + 1]) {
    double m[TAPS + 1][TAPS + 2], right[TAPS + 1], left = table_at(own, 0, 0);
    int n = TAPS + (luma != 0);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            int a = i < TAPS ? i : -1, b = j < TAPS ? j : -1, at = a < 0 ? b : a;
            m[i][j] = a >= 0 && b >= 0 ? table_at(own, tap_x(a) - tap_x(b), tap_y(a) - tap_y(b)) :
                a < 0 && b < 0 ? 1 : luma * table_at(own, tap_x(at), tap_y(at));
        }
        right[i] = m[i][n] = i < TAPS ? table_at(own, tap_x(i), tap_y(i)) : luma;
    }
    x[TAPS] = 0;
    solve(m, n, x);
    for (int i = 0; i < n; i++)
        left -= x[i] * right[i];
    return fmax(left, .01);
}

/* Variance of weights . rgb at a bin. */
static double mixed(const ip_grain *grain, int bin, const double a[3], const double b[3]) {
    double sum = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            sum += a[i] * b[j] * grain->channels[i][j] * sqrt((double)grain->bins[bin].variance[i] * grain->bins[bin].variance[j]);
    return sum;
}

static int middle_bin(const ip_grain *grain) {
    int best = 0;
    for (int b = 1; b < IP_GRAIN_BINS; b++)
        if (grain->bins[b].confidence * (float)grain->bins[b].blocks > grain->bins[best].confidence * (float)grain->bins[best].blocks)
            best = b;
    return best;
}

/* The spectrum of a mixture; between channels the geometric mean of theirs. */
static void mix_spectrum(const ip_grain *grain, float (*own)[64][64], int bin, const double w[3], spectrum out) {
    double sum = 0;
    for (int v = 0; v < 64; v++)
        for (int u = 0; u < 64; u++) {
            out[v][u] = 0;
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++)
                    out[v][u] += w[i] * w[j] * grain->channels[i][j] * sqrt((double)grain->bins[bin].variance[i] * grain->bins[bin].variance[j]) *
                        sqrt((double)own[i][v][u] * own[j][v][u]);
            out[v][u] = fmax(out[v][u], 0);
            sum += out[v][u];
        }
    if (!(sum > 0))
        for (int v = 0; v < 64; v++)
            for (int u = 0; u < 64; u++)
                out[v][u] = 1;
}

typedef struct plane_model {
    double taps[TAPS + 1], fresh; /* unit variance */
    double averaged;              /* share of the variance left by 2x2 means (1 for luma) */
    double deviation[IP_GRAIN_BINS]; /* in 8-bit code values */
} plane_model;

static void model_plane(const ip_grain *grain, float (*own)[64][64], const double w[3], double range, const double *luma_weights, plane_model *out) {
    spectrum s;
    lag_table t;
    int bin = middle_bin(grain);
    double luma = 0;
    mix_spectrum(grain, own, bin, w, s);
    tabulate(s, luma_weights != NULL, &t);
    out->averaged = luma_weights ? table_at(&t, 0, 0) : 1;
    for (int y = 0; y < 4 * LAG + 1; y++)
        for (int x = 0; x < 4 * LAG + 1; x++)
            t.at[y][x] /= out->averaged;
    if (luma_weights) {
        double both = mixed(grain, bin, w, w) * mixed(grain, bin, luma_weights, luma_weights);
        luma = both > 0 ? fmax(-.98, fmin(.98, mixed(grain, bin, w, luma_weights) / sqrt(both))) : 0;
        luma = fabs(luma) < .02 ? 0 : luma;
    }
    out->fresh = auto_regression(&t, luma, out->taps);
    for (int b = 0; b < IP_GRAIN_BINS; b++)
        out->deviation[b] = range * sqrt(fmax(0, out->averaged * mixed(grain, b, w, w)));
}

static int limited(double v, int low, int high) { return v <= low ? low : v >= high ? high : (int)floor(v + .5); }

static void write_points(ip_buffer *text, const char *name, const ip_grain *grain, const plane_model *plane, double scale) {
    int last = -1;
    ip_buffer_printf(text, "\t%s %d", name, IP_GRAIN_BINS);
    for (int b = 0; b < IP_GRAIN_BINS; b++) {
        int code = IP_MAX(last + 1, limited(16 + 219. * grain->bins[b].level, 0, 255 - IP_GRAIN_BINS + b));
        ip_buffer_printf(text, " %d %d", code, limited(plane->deviation[b] * scale, 0, 255));
        last = code;
    }
    ip_buffer_printf(text, "\n");
}

static void write_taps(ip_buffer *text, const char *name, const plane_model *plane, int n, double luma_scale, int shift) {
    ip_buffer_printf(text, "\t%s", name);
    for (int i = 0; i < n; i++)
        ip_buffer_printf(text, " %d", limited(plane->taps[i] * (i == TAPS ? luma_scale : 1) * (1 << shift), -128, 127));
    ip_buffer_printf(text, "\n");
}

/* Deviation of a plane's template: white noise of 32 / 2^scale_shift through the recursion. */
static double template_of(const plane_model *plane, int scale_shift) { return TEMPLATE / (double)(1 << scale_shift) / sqrt(plane->fresh); }

static void write_table(const ip_grain *grain, const ip_grain_av1_options *options, const plane_model plane[3], ip_buffer *text) {
    int scale_shift = 0, ar_shift = 9, scaling_shift = 11;
    double luma_scale[3] = {0}, widest = 0, strongest = 0;
    for (int p = 0; p < 3; p++)
        while (scale_shift < 3 && template_of(&plane[p], scale_shift) > TEMPLATE_MOST)
            scale_shift++;
    for (int p = 0; p < 3; p++) {
        luma_scale[p] = p ? template_of(&plane[p], scale_shift) / (template_of(&plane[0], scale_shift) * sqrt(plane[p].averaged)) : 0;
        for (int i = 0; i <= TAPS; i++)
            widest = fmax(widest, fabs(plane[p].taps[i]) * (i == TAPS ? luma_scale[p] : 1));
        for (int b = 0; b < IP_GRAIN_BINS; b++)
            strongest = fmax(strongest, plane[p].deviation[b] / template_of(&plane[p], scale_shift));
    }
    while (ar_shift > 6 && widest * (1 << ar_shift) > 127)
        ar_shift--;
    while (scaling_shift > 8 && strongest * (1 << scaling_shift) > 255)
        scaling_shift--;
    ip_buffer_printf(text, "filmgrn1\nE %lld %lld 1 %d 1\n", (long long)options->begin, (long long)(options->end ? options->end : INT64_MAX),
        options->seed ? options->seed : 7391);
    ip_buffer_printf(text, "\tp %d %d %d %d 0 1 128 192 256 128 192 256\n", LAG, ar_shift, scale_shift, scaling_shift);
    static const char *const points[3] = {"sY", "sCb", "sCr"}, *const taps[3] = {"cY", "cCb", "cCr"};
    for (int p = 0; p < 3; p++)
        write_points(text, points[p], grain, &plane[p], (1 << scaling_shift) / template_of(&plane[p], scale_shift));
    for (int p = 0; p < 3; p++)
        write_taps(text, taps[p], &plane[p], p ? TAPS + 1 : TAPS, luma_scale[p], ar_shift);
}

ipos_status ip_grain_to_av1(const ip_grain *grain, const ip_grain_av1_options *options, char **text) {
    static const double luma[2][3] = {{.2126, .7152, .0722}, {.2627, .6780, .0593}};
    const ip_grain_av1_options none = {0};
    ip_buffer out = {0};
    plane_model plane[3];
    options = options ? options : &none;
    *text = NULL;
    IP_TRY(ip_grain_check(grain));
    if (options->begin < 0 || (options->end != 0 && options->end <= options->begin))
        return ip_fail(IPOS_ERR_ARGUMENT, "grain: film-grain table from %lld to %lld, expected 0 or later and an end after the begin", (long long)options->begin,
            (long long)options->end);
    float (*own)[64][64] = ip_alloc(3 * sizeof *own);
    if (!own)
        return IPOS_ERR_NO_MEMORY;
    const double *y = luma[options->bt2020];
    double cb[3], cr[3];
    for (int c = 0; c < 3; c++) {
        ip_grain_spectrum(grain, c, own[c]);
        cb[c] = ((c == 2) - y[c]) / (2 * (1 - y[2]));
        cr[c] = ((c == 0) - y[c]) / (2 * (1 - y[0]));
    }
    model_plane(grain, own, y, 219, NULL, &plane[0]);
    model_plane(grain, own, cb, 224, y, &plane[1]);
    model_plane(grain, own, cr, 224, y, &plane[2]);
    ip_free(own);
    write_table(grain, options, plane, &out);
    *text = ip_buffer_take(&out);
    return *text ? IPOS_OK : ip_fail(IPOS_ERR_NO_MEMORY, "grain: no memory for a film-grain table");
}
