/* The encodings by name. */
#include "color.h"
#include "curves.h"

static float same(float value)
{
    return value;
}

static const ip_encoding encodings[] = {
    {"srgb", "sRGB (IEC 61966-2-1): screens, graphics, most PNG files", IP_ENCODING_DISPLAY, ip_srgb_to_linear, ip_srgb_from_linear},
    {"rec709", "ITU-R BT.709 video", IP_ENCODING_DISPLAY, ip_rec709_to_linear, ip_rec709_from_linear},
    {"gamma2.2", "pure power of 2.2", IP_ENCODING_DISPLAY, ip_gamma22_to_linear, ip_gamma22_from_linear},
    {"linear", "scene-linear, Rec.709 primaries", IP_ENCODING_LINEAR, same, same},
    {"acescg", "scene-linear, ACES AP1 primaries", IP_ENCODING_LINEAR, same, same},
    {"aces2065-1", "scene-linear, ACES AP0 primaries", IP_ENCODING_LINEAR, same, same},
    {"acescct", "ACEScct grading space, AP1 primaries", IP_ENCODING_LOG, ip_acescct_to_linear, ip_acescct_from_linear},
    {"logc3", "ARRI LogC3 at EI 800", IP_ENCODING_LOG, ip_logc3_to_linear, ip_logc3_from_linear},
    {"logc4", "ARRI LogC4", IP_ENCODING_LOG, ip_logc4_to_linear, ip_logc4_from_linear},
    {"slog3", "Sony S-Log3", IP_ENCODING_LOG, ip_slog3_to_linear, ip_slog3_from_linear},
    {"vlog", "Panasonic V-Log", IP_ENCODING_LOG, ip_vlog_to_linear, ip_vlog_from_linear},
    {"log3g10", "RED Log3G10", IP_ENCODING_LOG, ip_log3g10_to_linear, ip_log3g10_from_linear},
    {"clog3", "Canon Log 3", IP_ENCODING_LOG, ip_clog3_to_linear, ip_clog3_from_linear},
    {"applelog", "Apple Log", IP_ENCODING_LOG, ip_applelog_to_linear, ip_applelog_from_linear},
    {"cineon", "Kodak Cineon film scans, 95 to 685", IP_ENCODING_LOG, ip_cineon_to_linear, ip_cineon_from_linear},
    {"data", "no colour: depth, vectors, masks", IP_ENCODING_DATA, same, same},
};

size_t ip_encoding_count(void)
{
    return IP_COUNT(encodings);
}

const ip_encoding *ip_encoding_at(size_t index)
{
    return index < IP_COUNT(encodings) ? &encodings[index] : NULL;
}

const ip_encoding *ip_encoding_find(const char *name)
{
    for (size_t i = 0; name && i < IP_COUNT(encodings); i++)
        if (strcmp(encodings[i].name, name) == 0)
            return &encodings[i];
    return NULL;
}

const char *ip_encoding_names(void)
{
    return "srgb,rec709,gamma2.2,linear,acescg,aces2065-1,acescct,logc3,logc4,slog3,vlog,log3g10,clog3,applelog,cineon,data";
}
