#include "change_report.h"

#define REAL(member) IP_FIELD(ip_change_report, member, IP_FIELD_REAL)
#define READING(member) IP_FIELD(ip_change_report, member, IP_FIELD_READING)
static const ip_field fields[] = {
    READING(reading), IP_FIELDS(ip_change_report, homography, IP_FIELD_REAL, 9), IP_FIELDS(ip_change_report, shift, IP_FIELD_REAL, 2), REAL(zoom), REAL(turn),
    REAL(share), REAL(residual), REAL(structure), REAL(compared), READING(global), REAL(exposure), REAL(red), REAL(blue), REAL(contrast), REAL(saturation),
    REAL(match_before), REAL(match_after), READING(skin), REAL(skin_shift), REAL(skin_stops), READING(sharpness),
    IP_FIELDS(ip_change_report, mtf50, IP_FIELD_REAL, 2), IP_FIELD(ip_change_report, found, IP_FIELD_INT), REAL(level),
};

#define REGION(member) IP_FIELD(ip_change_region, member, IP_FIELD_REAL)
static const ip_field region_fields[] = {
    REGION(certainty), REGION(area), REGION(mean), REGION(peak), REGION(stops), REGION(structure), REGION(importance),
};

const char *ip_change_kind_name(ip_change_kind kind) {
    static const char *const names[] = {"thing", "light", "colour", "detail"};
    return names[kind];
}

static json_t *region_json(const ip_change_region *region) {
    json_t *out = ip_record_json(region_fields, IP_COUNT(region_fields), region);
    const ip_box_i *b = &region->box;
    if (out && (json_object_set_new(out, "kind", json_string(ip_change_kind_name(region->kind))) != 0 ||
        json_object_set_new(out, "box", json_pack("[i,i,i,i]", b->x, b->y, b->width, b->height)) != 0)) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static bool add_rest(json_t *out, const ip_change_report *report) {
    json_t *list = json_array();
    for (int64_t i = 0; i < report->regions; i++)
        if (json_array_append_new(list, region_json(&report->region[i])) != 0) {
            json_decref(list);
            return false;
        }
    return json_object_set_new(out, "regions", list) == 0 &&
        json_object_set_new(out, "frames", json_pack("[I,I]", (json_int_t)report->frame[0], (json_int_t)report->frame[1])) == 0;
}

json_t *ip_change_report_json(const ip_change_report *report) {
    json_t *out = ip_record_json(fields, IP_COUNT(fields), report);
    if (out && !add_rest(out, report)) {
        json_decref(out);
        ip_fail(IPOS_ERR_NO_MEMORY, "change report: no memory for its JSON");
        return NULL;
    }
    return out;
}
