/* The look: a checked document, immutable afterwards. */
#include "api_look.h"
#include "color.h"

ipos_status ip_look_new(json_t *document, ipos_look **out)
{
    ipos_look *look = ip_calloc(1, sizeof *look);
    ipos_status status = look ? ip_fingerprint_check(document) : IPOS_ERR_NO_MEMORY;

    if (status != IPOS_OK) {
        ip_free(look);
        json_decref(document);
        return status;
    }
    look->magic = IP_MAGIC_LOOK;
    atomic_init(&look->refs, 1);
    look->document = document;
    *out = look;
    return IPOS_OK;
}

static bool alive(const ipos_look *look)
{
    return look && look->magic == IP_MAGIC_LOOK;
}

static ipos_status check(const ipos_look *look)
{
    return alive(look) ? IPOS_OK : ip_fail(IPOS_ERR_ARGUMENT, "look: NULL or not a live ipos_look");
}

void ipos_look_retain(ipos_look *look)
{
    if (alive(look))
        atomic_fetch_add_explicit(&look->refs, 1, memory_order_relaxed);
}

void ipos_look_release(ipos_look *look)
{
    if (!alive(look) || atomic_fetch_sub_explicit(&look->refs, 1, memory_order_acq_rel) != 1)
        return;
    look->magic = 0;
    json_decref(look->document);
    ip_free(look);
}

ipos_status ipos_look_from_json(const char *json, ipos_look **out)
{
    json_error_t error;

    IP_OUT(out);
    IP_TRY(ip_check_text(json, "json"));
    json_t *document = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        return ip_fail(IPOS_ERR_FORMAT, "look: not JSON (line %d, column %d: %s)", error.line, error.column, error.text);
    return ip_look_new(document, out);
}

/* Reads only, and as text: reference counts inside the document are not for several threads. */
ipos_status ipos_look_json(const ipos_look *look, char **json)
{
    IP_OUT(json);
    IP_TRY(check(look));
    size_t size = json_dumpb(look->document, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS);
    char *text = size ? ip_alloc(size + 1) : NULL;
    if (!text)
        return ip_no_memory(size);
    if (json_dumpb(look->document, text, size, JSON_COMPACT | JSON_SORT_KEYS) != size) {
        ip_free(text);
        return ip_no_memory(size);
    }
    text[size] = 0;
    *json = text;
    return IPOS_OK;
}

const char *ipos_look_plots(void)
{
    return ip_fingerprint_plots();
}

ipos_status ipos_look_plot(const ipos_look *look, const char *of, const char *name, char **svg)
{
    const json_t *entry;

    IP_OUT(svg);
    IP_TRY(check(look));
    IP_TRY(ip_check_text(name, "plot"));
    IP_TRY(ip_fingerprint_find(look->document, of, &entry));
    return ip_fingerprint_plot(entry, of, name, svg);
}

ipos_status ipos_look_grain_table(const ipos_look *look, const char *of, char **table)
{
    const json_t *entry;
    ip_grain grain;

    IP_OUT(table);
    IP_TRY(check(look));
    IP_TRY(ip_fingerprint_find(look->document, of, &entry));
    IP_TRY(ip_fingerprint_grain(entry, of, &grain));
    const char *encoding = json_string_value(json_object_get(entry, "encoding"));
    const ip_encoding *found = ip_encoding_find(encoding ? encoding : "");
    if (found && found->kind == IP_ENCODING_LINEAR)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "look: the grain was measured in %s, scene-linear: film-grain tables are for code values of an encoder",
            encoding);
    return ip_grain_to_av1(&grain, NULL, table);
}
