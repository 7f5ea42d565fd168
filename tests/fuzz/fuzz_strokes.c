/* Whatever bytes: strokes in their normal form, or a status. What was read is read again and stays as it is. */
#include "fuzz.h"
#include "strokes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *json = NULL, *again = NULL;
    if (ip_strokes_parse(data, size, "fuzz", 1001, &json) != IPOS_OK) {
        if (json)
            __builtin_trap();
        return 0;
    }
    if (ip_strokes_parse(json, strlen(json), "fuzz", IP_STROKES_NO_FRAME, &again) != IPOS_OK || strcmp(json, again) != 0)
        __builtin_trap();
    ip_free(again);
    if (ip_strokes_check(json, "fuzz", &again) != IPOS_OK || strcmp(json, again) != 0)
        __builtin_trap();
    ip_free(again);
    ip_free(json);
    return 0;
}
