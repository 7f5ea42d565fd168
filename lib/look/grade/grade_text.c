/* Grades as an ASC ColorDecisionList and as a .cube table. Numbers without the host's locale. */
#include "grade.h"
#include <math.h>

static void add_number(ip_buffer *out, double value) {
    char text[32];
    ip_real_text(round(value * 1e7) / 1e7 + 0., text);
    ip_buffer_add(out, text, strlen(text));
}

static void add_three(ip_buffer *out, const char *name, const double v[3]) {
    ip_buffer_printf(out, "        <%s>", name);
    for (int c = 0; c < 3; c++) {
        if (c)
            ip_buffer_add(out, " ", 1);
        add_number(out, v[c]);
    }
    ip_buffer_printf(out, "</%s>\n", name);
}

/* XML 1.0: control characters other than tab and line ends cannot be written at all, so they are left out; line ends and tabs would be
 * normalised in an attribute, so they are written as references. */
static void add_escaped(ip_buffer *out, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        switch (*p) {
        case '&': ip_buffer_add(out, "&amp;", 5); break;
        case '<': ip_buffer_add(out, "&lt;", 4); break;
        case '>': ip_buffer_add(out, "&gt;", 4); break;
        case '"': ip_buffer_add(out, "&quot;", 6); break;
        case '\t': case '\n': case '\r': ip_buffer_printf(out, "&#%d;", *p); break;
        default:
            if (*p >= 32)
                ip_buffer_add(out, p, 1);
        }
    }
}

static const char *values_of(const ip_encoding *encoding) {
    return encoding->kind == IP_ENCODING_LINEAR ? "7/64 log2(1 + 64 x) of linear x" : "code values 0..1";
}

char *ip_cdl_text(const ip_cdl *cdl, const ip_encoding *encoding, const char *id, const char *description) {
    ip_buffer out = {0};
    ip_buffer_printf(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ColorDecisionList xmlns=\"urn:ASC:CDL:v1.2\">\n  <ColorDecision>\n"
        "    <ColorCorrection id=\"");
    add_escaped(&out, id);
    ip_buffer_printf(&out, "\">\n      <SOPNode>\n        <Description>");
    add_escaped(&out, description);
    ip_buffer_printf(&out, "%sfor %s, %s</Description>\n", *description ? "; " : "", encoding->name, values_of(encoding));
    add_three(&out, "Slope", cdl->slope);
    add_three(&out, "Offset", cdl->offset);
    add_three(&out, "Power", cdl->power);
    ip_buffer_printf(&out, "      </SOPNode>\n      <SatNode>\n        <Saturation>");
    add_number(&out, cdl->saturation);
    ip_buffer_printf(&out, "</Saturation>\n      </SatNode>\n    </ColorCorrection>\n  </ColorDecision>\n</ColorDecisionList>\n");
    return ip_buffer_take(&out);
}

static void add_title(ip_buffer *out, const char *title) {
    ip_buffer_printf(out, "TITLE \"");
    for (const unsigned char *p = (const unsigned char *)title; *p; p++)
        if (*p >= 32 && *p != '"' && *p != 127)
            ip_buffer_add(out, p, 1);
    ip_buffer_printf(out, "\"\n");
}

char *ip_grade_cube(const ip_grade *grade, const ip_encoding *encoding, const char *title) {
    ip_buffer out = {0};
    add_title(&out, title);
    ip_buffer_printf(&out, "# from and to %s, %s; what is outside of 0..1 ends at the faces of the table\nLUT_3D_SIZE %d\nDOMAIN_MIN 0 0 0\n"
        "DOMAIN_MAX 1 1 1\n", encoding->name, values_of(encoding), IP_CUBE_SIDE);
    for (int i = 0; i < IP_CUBE_SIDE * IP_CUBE_SIDE * IP_CUBE_SIDE; i++) {
        const double last = IP_CUBE_SIDE - 1;
        double in[3] = {i % IP_CUBE_SIDE / last, i / IP_CUBE_SIDE % IP_CUBE_SIDE / last, i / (IP_CUBE_SIDE * IP_CUBE_SIDE) / last}, z[3];
        ip_grade_at(grade, in, z);
        for (int c = 0; c < 3; c++) {
            add_number(&out, z[c]);
            ip_buffer_add(&out, c < 2 ? " " : "\n", 1);
        }
    }
    return ip_buffer_take(&out);
}
