/* Strokes for operations that follow what a person has drawn. */
#include "api.h"
#include "strokes.h"

ipos_status ipos_strokes_read(const char *path, int64_t frame, char **json)
{
    IP_OUT(json);
    IP_TRY(ip_check_text(path, "path"));
    return ip_strokes_read(path, frame, json);
}
