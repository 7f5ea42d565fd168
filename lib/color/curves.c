/* Transfer functions as published. All are continued beyond their published range so that they stay invertible: display curves
 * are mirrored at 0, camera curves go on along their own toe. */
#include "curves.h"

#include <math.h>

/* IEC 61966-2-1 */
float ip_srgb_to_linear(float code)
{
    double v = fabs((double)code);
    v = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    return (float)copysign(v, code);
}

float ip_srgb_from_linear(float linear)
{
    double v = fabs((double)linear);
    v = v <= 0.0031308 ? v * 12.92 : 1.055 * pow(v, 1 / 2.4) - 0.055;
    return (float)copysign(v, linear);
}

/* ITU-R BT.709, camera side, with the constants of BT.2020 in full precision, which leave no gap at the join. */
#define REC709_ALPHA 1.09929682680944
#define REC709_BETA 0.018053968510807

float ip_rec709_to_linear(float code)
{
    double v = fabs((double)code);
    v = v < 4.5 * REC709_BETA ? v / 4.5 : pow((v + (REC709_ALPHA - 1)) / REC709_ALPHA, 1 / 0.45);
    return (float)copysign(v, code);
}

float ip_rec709_from_linear(float linear)
{
    double v = fabs((double)linear);
    v = v < REC709_BETA ? v * 4.5 : REC709_ALPHA * pow(v, 0.45) - (REC709_ALPHA - 1);
    return (float)copysign(v, linear);
}

float ip_gamma22_to_linear(float code)
{
    return (float)copysign(pow(fabs((double)code), 2.2), code);
}

float ip_gamma22_from_linear(float linear)
{
    return (float)copysign(pow(fabs((double)linear), 1 / 2.2), linear);
}

/* Academy S-2016-001 */
float ip_acescct_to_linear(float code)
{
    double v = code;
    return (float)(v <= 0.155251141552511 ? (v - 0.0729055341958355) / 10.5402377416545 : exp2(v * 17.52 - 9.72));
}

float ip_acescct_from_linear(float linear)
{
    double v = linear;
    return (float)(v <= 0.0078125 ? 10.5402377416545 * v + 0.0729055341958355 : (log2(v) + 9.72) / 17.52);
}

/* ARRI, "ALEXA LogC Curve", EI 800, scene-linear exposure */
float ip_logc3_to_linear(float code)
{
    double v = code;
    return (float)(v > 5.367655 * 0.010591 + 0.092809 ? (exp10((v - 0.385537) / 0.247190) - 0.052272) / 5.555556
                                                      : (v - 0.092809) / 5.367655);
}

float ip_logc3_from_linear(float linear)
{
    double v = linear;
    return (float)(v > 0.010591 ? 0.247190 * log10(5.555556 * v + 0.052272) + 0.385537 : 5.367655 * v + 0.092809);
}

/* ARRI LogC4 specification: a = (2^18 - 16) / 117.45, b = (1023 - 95) / 1023, c = 95 / 1023; toe s, t. */
#define LOGC4_A ((262144 - 16) / 117.45)
#define LOGC4_B ((1023 - 95) / 1023.0)
#define LOGC4_C (95 / 1023.0)

static double logc4_s(void)
{
    return 7 * 0.693147180559945309417 * exp2(7 - 14 * LOGC4_C / LOGC4_B) / (LOGC4_A * LOGC4_B);
}

static double logc4_t(void)
{
    return (exp2(14 * (-LOGC4_C / LOGC4_B) + 6) - 64) / LOGC4_A;
}

float ip_logc4_to_linear(float code)
{
    double v = code;
    return (float)(v >= 0 ? (exp2(14 * (v - LOGC4_C) / LOGC4_B + 6) - 64) / LOGC4_A : v * logc4_s() + logc4_t());
}

float ip_logc4_from_linear(float linear)
{
    double v = linear, t = logc4_t();
    return (float)(v >= t ? (log2(LOGC4_A * v + 64) - 6) / 14 * LOGC4_B + LOGC4_C : (v - t) / logc4_s());
}

/* Sony, "Technical Summary for S-Gamut3.Cine/S-Log3" */
float ip_slog3_to_linear(float code)
{
    double v = code * 1023.0;
    return (float)(v >= 171.2102946929 ? exp10((v - 420) / 261.5) * (0.18 + 0.01) - 0.01 : (v - 95) * 0.01125 / (171.2102946929 - 95));
}

float ip_slog3_from_linear(float linear)
{
    double v = linear;
    return (float)((v >= 0.01125 ? 420 + log10((v + 0.01) / (0.18 + 0.01)) * 261.5 : v * (171.2102946929 - 95) / 0.01125 + 95) / 1023);
}

/* Panasonic, "V-Log/V-Gamut Reference Manual" */
float ip_vlog_to_linear(float code)
{
    double v = code;
    return (float)(v < 0.181 ? (v - 0.125) / 5.6 : exp10((v - 0.598206) / 0.241514) - 0.00873);
}

float ip_vlog_from_linear(float linear)
{
    double v = linear;
    return (float)(v < 0.01 ? 5.6 * v + 0.125 : 0.241514 * log10(v + 0.00873) + 0.598206);
}

/* RED, "White Paper on REDWideGamutRGB and Log3G10" */
float ip_log3g10_to_linear(float code)
{
    double v = code;
    return (float)((v < 0 ? v / 15.1927 : (exp10(v / 0.224282) - 1) / 155.975327) - 0.01);
}

float ip_log3g10_from_linear(float linear)
{
    double v = linear + 0.01;
    return (float)(v < 0 ? v * 15.1927 : 0.224282 * log10(v * 155.975327 + 1));
}

/* Canon Log 3 (2020 form); Canon's linear is 1 at 90 % reflectance, ours at 100 %. */
float ip_clog3_to_linear(float code)
{
    double v = code;
    if (v < 0.097465473)
        v = -(exp10((0.12783901 - v) / 0.36726845) - 1) / 14.98325;
    else if (v <= 0.15277891)
        v = (v - 0.12512219) / 1.9754798;
    else
        v = (exp10((v - 0.12240537) / 0.36726845) - 1) / 14.98325;
    return (float)(v * 0.9);
}

float ip_clog3_from_linear(float linear)
{
    double v = linear / 0.9;
    if (v < -0.014)
        v = 0.12783901 - 0.36726845 * log10(1 - 14.98325 * v);
    else if (v <= 0.014)
        v = 1.9754798 * v + 0.12512219;
    else
        v = 0.36726845 * log10(14.98325 * v + 1) + 0.12240537;
    return (float)v;
}

/* Apple, "Apple Log Profile White Paper". Flat below R0, as published: a parabola's vertex has no toe to go on along. */
#define APPLE_R0 -0.05641088
#define APPLE_RT 0.01
#define APPLE_C 47.28711236
#define APPLE_PT (APPLE_C * (APPLE_RT - APPLE_R0) * (APPLE_RT - APPLE_R0))

float ip_applelog_to_linear(float code)
{
    double v = code;
    if (v >= APPLE_PT)
        return (float)(exp2((v - 0.69336945) / 0.08550479) - 0.00964052);
    return (float)(v > 0 ? sqrt(v / APPLE_C) + APPLE_R0 : v <= 0 ? APPLE_R0 : v);
}

float ip_applelog_from_linear(float linear)
{
    double v = linear;
    if (v >= APPLE_RT)
        return (float)(0.08550479 * log2(v + 0.00964052) + 0.69336945);
    return (float)(v > APPLE_R0 ? APPLE_C * (v - APPLE_R0) * (v - APPLE_R0) : v <= APPLE_R0 ? 0 : v);
}

/* Kodak Cineon: 10 bit, white 685, black 95, 0.002 density a code, gamma 0.6; below code 0 along the tangent. */
#define CINEON_GAIN (0.002 / 0.6 * 1023)

static double cineon_black(void)
{
    return exp10((95 - 685) * 0.002 / 0.6);
}

float ip_cineon_to_linear(float code)
{
    double v = code, black = cineon_black();
    double power = exp10((fmax(v, 0) - 685 / 1023.0) * CINEON_GAIN);
    if (v < 0)
        power += power * v * CINEON_GAIN * 2.30258509299404568402;
    return isnan(code) ? code : (float)((power - black) / (1 - black));
}

float ip_cineon_from_linear(float linear)
{
    double black = cineon_black(), power = linear * (1 - black) + black;
    double lowest = exp10(-685 / 1023.0 * CINEON_GAIN);
    if (power < lowest)
        return (float)((power / lowest - 1) / (CINEON_GAIN * 2.30258509299404568402));
    return (float)(log10(power) / CINEON_GAIN + 685 / 1023.0);
}
