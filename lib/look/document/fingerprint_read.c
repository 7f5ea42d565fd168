/* What is taken from the document: entries, records, pictures. Every record is read by the code that wrote it, so that a document that
 * passes the check can be used. */
#include "fingerprint.h"
#include "chroma.h"
#include "fingerprint_charts.h"
#include "light.h"

/* Holds any one record. */
typedef union record {
    ip_bloom bloom;
    ip_vignette vignette;
    ip_chroma chroma;
    ip_sharp sharp;
    ip_tone tone;
    ip_white white;
    ip_flicker flicker;
    ip_skin skin;
    ip_light light;
} record;

#define PARSE(name) \
    static ipos_status parse_##name(const json_t *value, record *out) { return ip_##name##_parse(value, &out->name); }
PARSE(bloom)
PARSE(vignette)
PARSE(chroma)
PARSE(sharp)
PARSE(tone)
PARSE(white)
PARSE(flicker)
PARSE(skin)
PARSE(light)

static const struct {
    const char *name;
    ipos_status (*parse)(const json_t *value, record *out);
} parsers[] = {{"bloom", parse_bloom}, {"vignette", parse_vignette}, {"chroma", parse_chroma}, {"sharp", parse_sharp}, {"tone", parse_tone},
    {"white", parse_white}, {"flicker", parse_flicker}};

static ipos_status read_grain(const json_t *entry, ip_grain *out) {
    const json_t *value = json_object_get(entry, "grain");
    if (!json_is_object(value))
        return ip_fail(IPOS_ERR_FORMAT, "look: \"grain\" is missing or no object");
    size_t size = json_dumpb(value, NULL, 0, JSON_COMPACT);
    char *text = ip_alloc(size + 1);
    if (!text)
        return IPOS_ERR_NO_MEMORY;
    text[json_dumpb(value, text, size, JSON_COMPACT)] = 0;
    ipos_status status = ip_grain_from_json(text, out);
    ip_free(text);
    return status;
}

static ipos_status at_member(ipos_status status, const char *where, const char *member) {
    if (status == IPOS_OK)
        return IPOS_OK;
    char *text = ip_strdup(ipos_last_error());
    status = ip_fail(status, "look: %s: %s: %s", where, member, text ? text : "");
    ip_free(text);
    return status;
}

static ipos_status check_picture(const json_t *entry, const char *where) {
    const json_t *width = json_object_get(entry, "width"), *height = json_object_get(entry, "height");
    if (!json_is_string(json_object_get(entry, "encoding")) || !json_is_integer(width) || !json_is_integer(height))
        return ip_fail(IPOS_ERR_FORMAT, "look: %s: \"encoding\", \"width\" or \"height\" is missing or of another type", where);
    return IPOS_OK;
}

static ipos_status check_entry(const json_t *entry, const char *where) {
    ip_grain grain;
    record any;
    if (!json_is_object(entry))
        return ip_fail(IPOS_ERR_FORMAT, "look: %s: missing or no object", where);
    IP_TRY(check_picture(entry, where));
    IP_TRY(at_member(read_grain(entry, &grain), where, "grain"));
    for (size_t i = 0; i < IP_COUNT(parsers); i++)
        IP_TRY(at_member(parsers[i].parse(json_object_get(entry, parsers[i].name), &any), where, parsers[i].name));
    return IPOS_OK;
}

static bool is_texts(const json_t *list) {
    size_t i;
    const json_t *value;
    json_array_foreach(list, i, value)
        if (!json_is_string(value))
            return false;
    return json_is_array(list);
}

/* A mark's record is kept beside what was marked: {"name", "frame", "box", "measured": {...}}. */
static ipos_status check_marks(const json_t *clip, const char *where, const char *kind, ipos_status (*parse)(const json_t *, record *)) {
    record any;
    size_t i;
    const json_t *mark, *list = json_object_get(clip, kind);
    if (!json_is_array(list))
        return ip_fail(IPOS_ERR_FORMAT, "look: %s: \"%s\" is missing or no list", where, kind);
    json_array_foreach(list, i, mark) {
        if (!json_is_string(json_object_get(mark, "name")) || !json_is_integer(json_object_get(mark, "frame")) ||
            json_array_size(json_object_get(mark, "box")) != 4)
            return ip_fail(IPOS_ERR_FORMAT, "look: %s: %s %zu: \"name\", \"frame\" or \"box\" is missing or of another type", where, kind, i);
        IP_TRY(at_member(parse(json_object_get(mark, "measured"), &any), where, kind));
    }
    return IPOS_OK;
}

static ipos_status check_clip(const json_t *clip, size_t place) {
    char where[160];
    const char *name = json_string_value(json_object_get(clip, "clip"));
    snprintf(where, sizeof where, "clip %s", name ? name : "");
    if (!name)
        return ip_fail(IPOS_ERR_FORMAT, "look: entry %zu of \"clips\" has no \"clip\", a name", place);
    if (!json_is_integer(json_object_get(clip, "frames")) || !is_texts(json_object_get(clip, "tags")))
        return ip_fail(IPOS_ERR_FORMAT, "look: %s: \"frames\" or \"tags\" is missing or of another type", where);
    IP_TRY(check_entry(clip, where));
    IP_TRY(check_marks(clip, where, "skin", parse_skin));
    return check_marks(clip, where, "light", parse_light);
}

static ipos_status check_format(const json_t *look) {
    const char *format = json_string_value(json_object_get(look, "format"));
    if (!format || strncmp(format, "interpos.look.", 14) != 0)
        return ip_fail(IPOS_ERR_FORMAT, "look: \"format\" is '%.40s', expected \"interpos.look.1\"", format ? format : "");
    if (strcmp(format + 14, "1") != 0)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "look: format \"%.40s\" is of another version, this library reads \"interpos.look.1\": measure again",
            format);
    return IPOS_OK;
}

static ipos_status check_whole(const json_t *entry, const char *where) {
    if (!is_texts(json_object_get(entry, "clips")) || !is_texts(json_object_get(entry, "left_out")))
        return ip_fail(IPOS_ERR_FORMAT, "look: %s: \"clips\" or \"left_out\" is missing or no list of names", where);
    if (json_object_get(entry, "skin")) /* not written, but it would be drawn */
        IP_TRY(check_marks(entry, where, "skin", parse_skin));
    return check_entry(entry, where);
}

ipos_status ip_fingerprint_check(const json_t *look) {
    size_t i;
    const json_t *entry, *clips = json_object_get(look, "clips"), *tags = json_object_get(look, "tags");
    if (!json_is_object(look))
        return ip_fail(IPOS_ERR_FORMAT, "look: expected a JSON object");
    IP_TRY(check_format(look));
    if (!json_is_string(json_object_get(look, "project")) || json_array_size(clips) == 0 || !json_is_array(tags))
        return ip_fail(IPOS_ERR_FORMAT, "look: \"project\", \"clips\" or \"tags\" is missing, empty or of another type");
    json_array_foreach(clips, i, entry)
        IP_TRY(check_clip(entry, i));
    json_array_foreach(tags, i, entry) {
        const char *tag = json_string_value(json_object_get(entry, "tag"));
        if (!tag)
            return ip_fail(IPOS_ERR_FORMAT, "look: entry %zu of \"tags\" has no \"tag\"", i);
        IP_TRY(check_whole(entry, tag));
    }
    return check_whole(json_object_get(look, "all"), "all");
}

static ipos_status unknown(const json_t *look, const char *of) {
    size_t i;
    const json_t *entry;
    ip_buffer names = {0};
    json_array_foreach(json_object_get(look, "clips"), i, entry)
        ip_buffer_printf(&names, "%s%s", names.size ? ", " : "", json_string_value(json_object_get(entry, "clip")));
    json_array_foreach(json_object_get(look, "tags"), i, entry)
        ip_buffer_printf(&names, ", tag:%s", json_string_value(json_object_get(entry, "tag")));
    ipos_status status = ip_fail(IPOS_ERR_NOT_FOUND, "look: '%s' was not measured; there are: %.*s", of, (int)IP_MIN(names.size, (size_t)600),
        names.size ? names.data : "");
    ip_buffer_free(&names);
    return status;
}

ipos_status ip_fingerprint_find(const json_t *look, const char *of, const json_t **out) {
    bool tag = of && strncmp(of, "tag:", 4) == 0;
    const char *name = tag ? of + 4 : of;
    size_t i;
    const json_t *entry;
    *out = of ? NULL : json_object_get(look, "all");
    json_array_foreach(json_object_get(look, tag ? "tags" : "clips"), i, entry)
        if (of && !*out && strcmp(json_string_value(json_object_get(entry, tag ? "tag" : "clip")), name) == 0)
            *out = entry;
    return *out ? IPOS_OK : unknown(look, of);
}

ipos_status ip_fingerprint_grain(const json_t *entry, const char *of, ip_grain *out) {
    IP_TRY(read_grain(entry, out));
    if (!out->measurable)
        return ip_fail(IPOS_ERR_NOT_FOUND, "look: no grain of %s: not measurable: %s", of ? of : "the project", out->reason);
    return IPOS_OK;
}

static char *plot_grain(const json_t *entry, const char *title) {
    ip_grain grain;
    return read_grain(entry, &grain) == IPOS_OK ? ip_grain_svg(&grain, title) : NULL;
}

#define PLOT(name)                                                                                         \
    static char *plot_##name(const json_t *entry, const char *title) {                                     \
        ip_##name out;                                                                                     \
        bool good = ip_##name##_parse(json_object_get(entry, #name), &out) == IPOS_OK;                     \
        return good ? ip_##name##_svg(&out, title) : NULL;                                                 \
    }
PLOT(bloom)
PLOT(vignette)
PLOT(sharp)
PLOT(tone)
PLOT(white)
PLOT(flicker)

/* All marks of the entry; a tag and the whole have none. */
static char *plot_skin(const json_t *entry, const char *title) {
    const json_t *list = json_object_get(entry, "skin"), *mark;
    size_t count = json_array_size(list), i;
    ip_skin *skins = ip_calloc(IP_MAX(count, (size_t)1), sizeof *skins);
    const char **names = ip_calloc(IP_MAX(count, (size_t)1), sizeof *names);
    char *svg = NULL;
    bool good = skins && names;
    json_array_foreach(list, i, mark) {
        good = good && ip_skin_parse(json_object_get(mark, "measured"), &skins[i]) == IPOS_OK;
        if (good)
            names[i] = json_string_value(json_object_get(mark, "name"));
    }
    if (good)
        svg = ip_skin_svg(skins, names, count, title);
    ip_free(skins);
    ip_free(names);
    return svg;
}

static const struct {
    const char *name, *title;
    char *(*plot)(const json_t *entry, const char *title);
} plots[] = {{"grain", "Grain", plot_grain}, {"bloom", "Bloom", plot_bloom}, {"vignette", "Vignette", plot_vignette},
    {"sharp", "Sharpness", plot_sharp}, {"tone", "Tone", plot_tone}, {"white", "White balance", plot_white}, {"flicker", "Flicker", plot_flicker},
    {"skin", "Skin", plot_skin}};

const char *ip_fingerprint_plots(void) { return "grain,bloom,vignette,sharp,tone,white,flicker,skin"; }

ipos_status ip_fingerprint_plot(const json_t *entry, const char *of, const char *name, char **svg) {
    for (size_t i = 0; i < IP_COUNT(plots); i++) {
        if (strcmp(plots[i].name, name) != 0)
            continue;
        char *title = of ? ip_format("%s: %s", of, plots[i].title) : ip_strdup(plots[i].title);
        *svg = title ? plots[i].plot(entry, title) : NULL;
        ip_free(title);
        return *svg ? IPOS_OK : ip_no_memory(4096);
    }
    return ip_fail(IPOS_ERR_NOT_FOUND, "look: no plot '%s'; there are: %s", name, ip_fingerprint_plots());
}
