#include "deflicker.h"
#include <math.h>

enum { TABLE = 1024, LOG_TOE = 32, BANDS = IP_DEFLICKER_BANDS };
static const float FADE_FROM = .95f; /* of clip */

typedef struct applying {
    const ip_encoding *encoding;
    const ip_image3 *image;
    float clip;
    double value[BANDS], bend[BANDS]; /* natural cubic spline of the log-gain over the middles of the bands: values and second derivatives */
    bool one;                         /* all bands alike */
    float light[TABLE + 1];           /* of codes 0..1; not for linear encodings */
} applying;

/* Second derivatives of the natural cubic spline through values one apart. */
static void bend_spline(const double *value, double *bend) {
    double upper[BANDS] = {0}, right[BANDS] = {0};
    for (int i = 1; i < BANDS - 1; i++) {
        double pivot = 4. - upper[i - 1];
        upper[i] = 1. / pivot;
        right[i] = (6. * (value[i - 1] - 2. * value[i] + value[i + 1]) - right[i - 1]) / pivot;
    }
    bend[0] = bend[BANDS - 1] = 0.;
    for (int i = BANDS - 2; i > 0; i--)
        bend[i] = right[i] - upper[i] * bend[i + 1];
}

static void prepare(const ip_deflicker_frame *frame, applying *a) {
    a->one = true;
    for (int k = 0; k < BANDS; k++)
        a->one = a->one && frame->log_gain[k] == frame->log_gain[0];
    for (int k = 0; k < BANDS; k++)
        a->value[k] = frame->log_gain[k];
    bend_spline(a->value, a->bend);
    for (int i = 0; i <= TABLE && a->encoding->kind != IP_ENCODING_LINEAR; i++)
        a->light[i] = a->encoding->to_linear((float)i / TABLE);
}

static float gain_of_row(const applying *a, int y, int height) {
    if (a->one)
        return expf((float)a->value[0]);
    double place = ((double)y + .5) * BANDS / height - .5;
    int k = IP_MAX(0, IP_MIN(BANDS - 2, (int)floor(place)));
    double t = place - k, s = 1. - t;
    double line = s * a->value[k] + t * a->value[k + 1];
    if (t < 0. || t > 1.) /* half a band beyond the last middles: straight on */
        return (float)exp(line - (t < 0. ? t * a->bend[1] : (t - 1.) * -a->bend[k]) / 6.);
    return (float)exp(line + ((s * s * s - s) * a->bend[k] + (t * t * t - t) * a->bend[k + 1]) / 6.);
}

/* One linear sample times gain; below 1, back to the sample itself on the way to white. */
static inline float scaled(float linear, float gain, float clip) {
    float from = FADE_FROM * clip;
    if (clip <= 0.f || gain >= 1.f || linear <= from)
        return linear * gain;
    if (linear >= clip)
        return linear;
    return from * gain + (linear - from) * (clip - from * gain) / (clip - from);
}

static float exactly(const applying *a, float code, float gain) {
    return isfinite(code) ? a->encoding->from_linear(scaled(a->encoding->to_linear(code), gain, a->clip)) : code;
}

/* Codes 0..1 through a table: the curves are smooth enough for straight lines between 1025 codes, but for log codes far below black,
 * where Apple Log is a square root. */
static void make_table(const applying *a, float gain, float *table) {
    for (int i = 0; i <= TABLE; i++)
        table[i] = a->encoding->from_linear(scaled(a->light[i], gain, a->clip));
}

static void through_table(const applying *a, const float *table, float gain, float *row, int width) {
    const float first = a->encoding->kind == IP_ENCODING_LOG ? LOG_TOE : 0.f;
    for (int x = 0; x < width; x++) {
        float place = row[x] * TABLE;
        if (place >= first && place < TABLE) {
            int i = (int)place;
            row[x] = table[i] + (place - (float)i) * (table[i + 1] - table[i]);
        } else {
            row[x] = exactly(a, row[x], gain);
        }
    }
}

static void linear_row(const applying *a, float gain, float *row, int width) {
    for (int x = 0; x < width; x += TABLE) {
        int n = IP_MIN(TABLE, width - x);
        float part[TABLE];
        memcpy(part, row + x, (size_t)n * sizeof *part);
        ip_from_working(a->encoding, part, (size_t)n);
        for (int i = 0; i < n; i++)
            part[i] = scaled(part[i], gain, a->clip);
        ip_to_working(a->encoding, part, (size_t)n);
        for (int i = 0; i < n; i++)
            row[x + i] = isfinite(row[x + i]) ? part[i] : row[x + i];
    }
}

static void rows(void *user, int64_t begin, int64_t end) {
    const applying *a = user;
    float table[TABLE + 1], made_for = 0.f; /* no gain is 0 */
    for (int y = (int)begin; y < (int)end; y++) {
        float gain = gain_of_row(a, y, a->image->c[0].height);
        if (gain == 1.f)
            continue;
        bool linear = a->encoding->kind == IP_ENCODING_LINEAR;
        if (!linear && gain != made_for) {
            make_table(a, gain, table);
            made_for = gain;
        }
        for (int c = 0; c < 3; c++) {
            if (linear)
                linear_row(a, gain, ip_row(&a->image->c[c], y), a->image->c[c].width);
            else
                through_table(a, table, gain, ip_row(&a->image->c[c], y), a->image->c[c].width);
        }
    }
}

ipos_status ip_deflicker_apply(const ip_deflicker_frame *frame, const ip_encoding *encoding, float clip, const ip_image3 *image, int threads) {
    if (!encoding || encoding->kind == IP_ENCODING_DATA)
        return ip_fail(IPOS_ERR_ARGUMENT, "deflicker: encoding %s holds no colour; declare one of %s", encoding ? encoding->name : "(none)",
            ip_encoding_names());
    for (int k = 0; k < BANDS; k++)
        if (!(fabsf(frame->log_gain[k]) < 16.f))
            return ip_fail(IPOS_ERR_ARGUMENT, "deflicker: log gain %g of band %d, expected -16 to 16", (double)frame->log_gain[k], k);
    applying a = {.encoding = encoding, .image = image, .clip = clip};
    prepare(frame, &a);
    if (a.one && frame->log_gain[0] == 0.f)
        return IPOS_OK;
    ip_parallel(threads, image->c[0].height, 16, rows, &a);
    return IPOS_OK;
}
