/* The transfer functions behind the table of encoding.c. */
#ifndef IP_CURVES_H
#define IP_CURVES_H

float ip_srgb_to_linear(float code);
float ip_srgb_from_linear(float linear);
float ip_rec709_to_linear(float code);
float ip_rec709_from_linear(float linear);
float ip_gamma22_to_linear(float code);
float ip_gamma22_from_linear(float linear);
float ip_acescct_to_linear(float code);
float ip_acescct_from_linear(float linear);
float ip_logc3_to_linear(float code);
float ip_logc3_from_linear(float linear);
float ip_logc4_to_linear(float code);
float ip_logc4_from_linear(float linear);
float ip_slog3_to_linear(float code);
float ip_slog3_from_linear(float linear);
float ip_vlog_to_linear(float code);
float ip_vlog_from_linear(float linear);
float ip_log3g10_to_linear(float code);
float ip_log3g10_from_linear(float linear);
float ip_clog3_to_linear(float code);
float ip_clog3_from_linear(float linear);
float ip_applelog_to_linear(float code);
float ip_applelog_from_linear(float linear);
float ip_cineon_to_linear(float code);
float ip_cineon_from_linear(float linear);

#endif
