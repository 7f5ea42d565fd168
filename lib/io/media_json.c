/* The document of ipos_media_info. */
#include "media_parts.h"
#include <jansson.h>
#include <stdlib.h>

static json_t *reals(const uint8_t *bytes, size_t count, bool wide) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        float f;
        double d;
        if (wide) {
            memcpy(&d, bytes + 8 * i, 8);
        } else {
            memcpy(&f, bytes + 4 * i, 4);
            d = f;
        }
        json_array_append_new(list, d - d == 0 ? json_real(d) : json_null());
    }
    return list;
}

static json_t *integers(const uint8_t *bytes, size_t count, bool is_signed) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        uint32_t u;
        int32_t s;
        memcpy(&u, bytes + 4 * i, 4);
        memcpy(&s, bytes + 4 * i, 4);
        json_array_append_new(list, json_integer(is_signed ? s : (json_int_t)u));
    }
    return list;
}

static json_t *shorts(const uint8_t *bytes, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        uint16_t u;
        memcpy(&u, bytes + 2 * i, 2);
        json_array_append_new(list, json_integer(u));
    }
    return list;
}

/* Numbers stand alone, several make a list. */
static json_t *unwrap(json_t *list) {
    if (json_array_size(list) != 1)
        return list;
    json_t *only = json_incref(json_array_get(list, 0));
    json_decref(list);
    return only;
}

static json_t *value_of(const ip_attribute *a) {
    enum { SHOWN = 4096 };
    if (a->size == 0 || a->size > SHOWN)
        return NULL;
    if (ip_in_list("string,tiff:ascii,png:tEXt,png:iTXt", a->type)) /* NULL where the bytes are no UTF-8 */
        return json_stringn((const char *)a->bytes, a->size);
    if (ip_in_list("float,v2f,v3f,m33f,m44f,chromaticities,box2f,tiff:float", a->type) && a->size % 4 == 0)
        return unwrap(reals(a->bytes, a->size / 4, false));
    if (strcmp(a->type, "tiff:rational") == 0 && a->size % 4 == 0)
        return unwrap(reals(a->bytes, a->size == 8 ? 1 : a->size / 4, a->size == 8));
    if (ip_in_list("double,v2d,v3d,m33d,m44d,tiff:double", a->type) && a->size % 8 == 0)
        return unwrap(reals(a->bytes, a->size / 8, true));
    if (ip_in_list("int,v2i,v3i,box2i,tiff:slong", a->type) && a->size % 4 == 0)
        return unwrap(integers(a->bytes, a->size / 4, true));
    if (ip_in_list("rational,timecode,keycode,tiff:long", a->type) && a->size % 4 == 0)
        return unwrap(integers(a->bytes, a->size / 4, strcmp(a->type, "keycode") == 0));
    if (strcmp(a->type, "tiff:short") == 0 && a->size % 2 == 0)
        return unwrap(shorts(a->bytes, a->size / 2));
    return NULL;
}

static json_t *attributes_json(const ip_image_header *header) {
    json_t *all = json_object();
    for (size_t i = 0; i < header->attribute_count; i++) {
        const ip_attribute *a = &header->attributes[i];
        json_t *one = json_pack("{s:s, s:I}", "type", a->type, "size", (json_int_t)a->size);
        json_t *value = one ? value_of(a) : NULL;
        if (value)
            json_object_set_new(one, "value", value);
        if (one)
            json_object_set_new(all, a->name, one); /* refuses names that are no UTF-8 */
    }
    return all;
}

static json_t *channels_json(const ip_image_header *header) {
    json_t *list = json_array();
    for (size_t i = 0; i < header->channel_count; i++) {
        const ipos_channel *c = &header->channels[i];
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", c->name, "type", ip_sample_name(c->sample_type)));
    }
    return list;
}

static json_t *frames_json(const ip_media_info *info) {
    json_t *missing = json_array();
    for (size_t i = 0; i < info->missing_count; i++)
        json_array_append_new(missing, json_integer(info->missing[i]));
    return json_pack("{s:I, s:I, s:I, s:b, s:o}", "first", (json_int_t)info->first, "last", (json_int_t)info->last, "count",
        (json_int_t)info->count, "exact", info->count_exact, "missing", missing);
}

static json_t *rate_json(const ip_media_info *info) {
    if (info->rate.num <= 0 || info->rate.den <= 0)
        return json_null();
    return json_pack("[I, I]", (json_int_t)info->rate.num, (json_int_t)info->rate.den);
}

static json_t *timecode_json(const ip_media_info *info) {
    if (!info->has_timecode)
        return json_null();
    const ipos_timecode *t = &info->timecode;
    char text[64];
    snprintf(text, sizeof text, "%02d:%02d:%02d%c%02d", t->hours, t->minutes, t->seconds, t->drop_frame ? ';' : ':', t->frames);
    return json_string(text);
}

ipos_status ip_media_json(ip_media *media, char **json) {
    const ip_media_info *info = &media->info;
    *json = NULL;
    json_t *root = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:s}", "kind",
        info->movie     ? "movie"
        : media->single ? "image"
                        : "sequence",
        "format", info->format, "codec", info->codec, "width", info->width, "height", info->height, "bits", info->bits,
        "encoding", info->encoding);
    if (root) {
        json_object_set_new(root, "path", json_string(info->pattern)); /* left out where the path is no UTF-8 */
        json_object_set_new(root, "channels", channels_json(&media->header));
        json_object_set_new(root, "parts", json_integer(media->header.parts));
        json_object_set_new(root, "frames", frames_json(info));
        json_object_set_new(root, "rate", rate_json(info));
        json_object_set_new(root, "timecode", timecode_json(info));
        json_object_set_new(root, "attributes", attributes_json(&media->header));
    }
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    *json = text ? ip_strdup(text) : NULL; /* ours to free with ipos_free, whatever jansson allocates with */
    free(text);
    json_decref(root);
    return *json ? IPOS_OK : ip_fail(IPOS_ERR_NO_MEMORY, "%s: its description cannot be put into JSON", info->pattern);
}
