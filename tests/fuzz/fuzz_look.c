/* Whatever bytes: a look that can be drawn and written, a match whose grade can be, or a status. */
#include "fingerprint.h"
#include "fuzz.h"
#include "shot_match.h"

static void use(const json_t *entry, const char *of) {
    char *text;
    ip_grain grain;
    for (const char *at = ip_fingerprint_plots(); *at;) {
        size_t length = strcspn(at, ",");
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        if (ip_fingerprint_plot(entry, of, name, &text) != IPOS_OK)
            __builtin_trap(); /* what passed the check can be drawn */
        ip_free(text);
        at += length + (at[length] == ',');
    }
    if (ip_fingerprint_grain(entry, of, &grain) == IPOS_OK && ip_grain_to_av1(&grain, NULL, &text) == IPOS_OK)
        ip_free(text);
}

static void use_match(const json_t *value) {
    ip_shot_match match;
    if (ip_shot_match_parse(value, &match) != IPOS_OK)
        return;
    char *cdl = ip_cdl_text(&match.cdl, match.encoding, "fuzz", ""), *cube = ip_grade_cube(&match.grade, match.encoding, "fuzz");
    if (!cdl || !cube)
        __builtin_trap();
    ip_free(cdl);
    ip_free(cube);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const json_t *entry;
    json_t *look = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (look && ip_fingerprint_check(look) == IPOS_OK) {
        if (ip_fingerprint_find(look, NULL, &entry) != IPOS_OK)
            __builtin_trap();
        use(entry, NULL);
        entry = json_array_get(json_object_get(look, "clips"), 0);
        use(entry, json_string_value(json_object_get(entry, "clip")));
    }
    if (look)
        use_match(look);
    json_decref(look);
    return 0;
}
