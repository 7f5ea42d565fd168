#include "quote.h"

#include <jansson.h>
#include <stdlib.h>

void ip_quote(ip_buffer *to, const char *text) {
    json_t *value = json_string(text);
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    ip_buffer_printf(to, "%s", quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(value);
}
