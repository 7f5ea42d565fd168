#include "catalogue.h"
#include <ctype.h>

ipos_status ip_doc_parse(const char *text, const char *what, json_t **out)
{
    json_error_t error;

    *out = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (*out)
        return IPOS_OK;
    return ip_fail(IPOS_ERR_FORMAT, "%s: not valid JSON at line %d, column %d: %s", what, error.line, error.column, error.text);
}

json_t *ip_doc_split(const char *list)
{
    json_t *words = json_array();

    for (const char *at = list ? list : ""; words && *at;) {
        size_t length = strcspn(at, ",");
        const char *begin = at, *end = at + length;
        while (begin < end && isspace((unsigned char)*begin))
            begin++;
        while (end > begin && isspace((unsigned char)end[-1]))
            end--;
        if (end > begin && json_array_append_new(words, json_stringn(begin, (size_t)(end - begin))) != 0) {
            json_decref(words);
            return NULL;
        }
        at += length + (at[length] == ',');
    }
    return words;
}

json_t *ip_doc_text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *ip_doc_rational(ipos_rational value)
{
    return json_pack("[I, I]", (json_int_t)value.num, (json_int_t)value.den);
}

ipos_status ip_doc_give(json_t *value, char **text)
{
    *text = ip_doc_text(value);
    json_decref(value);
    return *text ? IPOS_OK : ip_fail(IPOS_ERR_NO_MEMORY, "a JSON document could not be made: out of memory, or a text is not UTF-8");
}
