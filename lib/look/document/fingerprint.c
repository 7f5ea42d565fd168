/* Putting the document together: clips, their tags, the whole. */
#include "fingerprint.h"
#include "pool.h"

const char *const ip_look_kinds[IP_LOOK_KINDS] = {"grain", "bloom", "vignette", "chroma", "sharp", "tone", "white", "flicker"};

ipos_status ip_fingerprint_pool(const json_t *const *entries, size_t count, json_t **out) {
    const json_t **records = ip_alloc(count * sizeof *records);
    json_t *made = json_object(), *pooled;
    ipos_status status = records && made ? IPOS_OK : ip_no_memory(256);
    for (size_t k = 0; status == IPOS_OK && k < IP_LOOK_KINDS; k++) {
        for (size_t i = 0; i < count; i++)
            if (!(records[i] = json_object_get(entries[i], ip_look_kinds[k])))
                status = ip_fail(IPOS_ERR_FORMAT, "look: an entry lacks \"%s\"", ip_look_kinds[k]);
        if (status == IPOS_OK)
            status = ip_look_pool(records, count, &pooled);
        if (status == IPOS_OK && json_object_set_new(made, ip_look_kinds[k], pooled) != 0)
            status = ip_no_memory(256);
    }
    ip_free(records);
    if (status == IPOS_OK)
        *out = made;
    else
        json_decref(made);
    return status;
}

static bool alike(const json_t *a, const json_t *b) {
    static const char *const same[] = {"encoding", "width", "height"};
    for (size_t i = 0; i < IP_COUNT(same); i++)
        if (!json_equal(json_object_get(a, same[i]), json_object_get(b, same[i])))
            return false;
    return true;
}

/* The clip whose size and encoding the most frames share; the first of equals. */
static const json_t *most_common(const json_t *const *clips, size_t count) {
    const json_t *best = clips[0];
    json_int_t most = -1;
    for (size_t i = 0; i < count; i++) {
        json_int_t frames = 0;
        for (size_t j = 0; j < count; j++)
            frames += alike(clips[i], clips[j]) ? json_integer_value(json_object_get(clips[j], "frames")) : 0;
        if (frames > most) {
            most = frames;
            best = clips[i];
        }
    }
    return best;
}

/* One entry out of several clips' (at least one). */
static ipos_status join(const json_t *const *clips, size_t count, json_t **out) {
    const json_t *model = most_common(clips, count), **kept = ip_alloc(count * sizeof *kept);
    json_t *names = json_array(), *others = json_array();
    size_t n = 0;
    for (size_t i = 0; kept && i < count; i++) {
        bool fits = alike(clips[i], model);
        if (fits)
            kept[n++] = clips[i];
        json_array_append(fits ? names : others, json_object_get(clips[i], "clip"));
    }
    ipos_status status = kept && json_array_size(names) + json_array_size(others) == count ? ip_fingerprint_pool(kept, n, out) : ip_no_memory(256);
    ip_free(kept);
    if (status != IPOS_OK) {
        json_decref(names);
        json_decref(others);
        return status;
    }
    json_object_set_new(*out, "clips", names);
    json_object_set_new(*out, "left_out", others);
    json_object_set(*out, "encoding", json_object_get(model, "encoding"));
    json_object_set(*out, "width", json_object_get(model, "width"));
    json_object_set(*out, "height", json_object_get(model, "height"));
    return IPOS_OK;
}

static bool has_tag(const json_t *clip, const char *tag) {
    size_t i;
    const json_t *value;
    json_array_foreach(json_object_get(clip, "tags"), i, value)
        if (strcmp(json_string_value(value), tag) == 0)
            return true;
    return false;
}

static bool known_tag(const json_t *entries, const char *tag) {
    size_t i;
    const json_t *entry;
    json_array_foreach(entries, i, entry)
        if (strcmp(json_string_value(json_object_get(entry, "tag")), tag) == 0)
            return true;
    return false;
}

static ipos_status join_tag(const json_t *const *clips, size_t count, const char *tag, json_t *entries) {
    const json_t **tagged = ip_alloc(count * sizeof *tagged);
    json_t *entry = NULL;
    size_t n = 0;
    if (!tagged)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (has_tag(clips[i], tag))
            tagged[n++] = clips[i];
    ipos_status status = join(tagged, n, &entry);
    ip_free(tagged);
    IP_TRY(status);
    json_object_set_new(entry, "tag", json_string(tag));
    return json_array_append_new(entries, entry) == 0 ? IPOS_OK : ip_no_memory(64);
}

static ipos_status join_tags(const json_t *const *clips, size_t count, json_t *entries) {
    size_t k;
    const json_t *tag;
    for (size_t i = 0; i < count; i++)
        json_array_foreach(json_object_get(clips[i], "tags"), k, tag)
            if (!known_tag(entries, json_string_value(tag)))
                IP_TRY(join_tag(clips, count, json_string_value(tag), entries));
    return IPOS_OK;
}

ipos_status ip_fingerprint_new(const char *project, json_t *clips, json_t **out) {
    size_t count = json_array_size(clips);
    json_t *tags = json_array(), *all = NULL;
    const json_t **list = ip_alloc(IP_MAX(count, (size_t)1) * sizeof *list);
    ipos_status status = list && tags ? IPOS_OK : ip_no_memory(256);
    if (status == IPOS_OK && count == 0)
        status = ip_fail(IPOS_ERR_ARGUMENT, "look: no clips, expected at least one");
    for (size_t i = 0; status == IPOS_OK && i < count; i++)
        list[i] = json_array_get(clips, i);
    if (status == IPOS_OK)
        status = join_tags(list, count, tags);
    if (status == IPOS_OK)
        status = join(list, count, &all);
    ip_free(list);
    if (status == IPOS_OK) {
        *out = json_pack("{s:s, s:s, s:o, s:o, s:o}", "format", "interpos.look.1", "project", project, "clips", clips, "tags", tags, "all", all);
        return *out ? IPOS_OK : ip_no_memory(256);
    }
    json_decref(clips);
    json_decref(tags);
    json_decref(all);
    return status;
}
