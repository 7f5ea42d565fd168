#include "color.h"
#include "ingest.h"

static ipos_status need_text(const char *text, const char *what, char **out)
{
    json_t *check;

    if (!text || !*text)
        return ip_fail(IPOS_ERR_ARGUMENT, "ingest: %s is required", what);
    check = json_string(text);
    json_decref(check);
    if (!check)
        return ip_fail(IPOS_ERR_ARGUMENT, "ingest: %s is not valid UTF-8", what);
    *out = ip_strdup(text);
    return *out ? IPOS_OK : ip_no_memory(strlen(text));
}

static ipos_status operations_of(const char *list, char **out)
{
    json_t *words = list && *list ? ip_doc_split(list) : json_pack("[s]", "*"), *word;
    size_t i;

    json_array_foreach(words, i, word) {
        const char *name = json_string_value(word);
        if (list && *list && (!name || !ip_name_ok(name))) {
            json_decref(words);
            return ip_fail(IPOS_ERR_ARGUMENT, "ingest: operations \"%s\": expected comma-separated names of operations", list);
        }
    }
    return ip_doc_give(words, out);
}

static ipos_status consents_of(const char *text, char **out)
{
    json_t *list = json_loads(text && *text ? text : "[]", JSON_REJECT_DUPLICATES, NULL), *item;
    size_t i;
    bool good = json_is_array(list);

    json_array_foreach(list, i, item)
        good = good && json_is_string(json_object_get(item, "performer")) && json_is_string(json_object_get(item, "reference"));
    if (good)
        return ip_doc_give(list, out);
    json_decref(list);
    return ip_fail(IPOS_ERR_ARGUMENT, "ingest: consents: expected a JSON array of {\"performer\",\"reference\",\"scope\"}");
}

static ipos_status rate_of(ip_ingest *ingest)
{
    ipos_rational rate = ingest->config->rate;

    if (rate.num == 0 && rate.den == 0)
        rate = ingest->info->rate;
    else if (rate.num <= 0 || rate.den <= 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "ingest: rate %lld/%lld, expected frames a second such as 24/1", (long long)rate.num,
            (long long)rate.den);
    if (rate.num <= 0 || rate.den <= 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "ingest: %s: the files state no frame rate, give one", ingest->info->pattern);
    ingest->row.rate = ip_reduce(rate);
    return IPOS_OK;
}

static ipos_status encoding_of(ip_ingest *ingest)
{
    const char *encoding = ingest->config->encoding;

    if (!encoding || !*encoding)
        encoding = ingest->info->encoding;
    if (!encoding || !*encoding)
        return ip_fail(IPOS_ERR_ARGUMENT, "ingest: %s: the files do not say how they are encoded, give one of %s",
            ingest->info->pattern,
            ip_encoding_names());
    if (!ip_encoding_find(encoding))
        return ip_fail(IPOS_ERR_ARGUMENT, "ingest: encoding \"%s\" is not known, expected one of %s", encoding,
            ip_encoding_names());
    ingest->row.encoding = ip_strdup(encoding);
    return ingest->row.encoding ? IPOS_OK : ip_no_memory(32);
}

/* Where the clip lies: its own place, or a place in the project. */
static ipos_status places_of(ip_ingest *ingest)
{
    ip_clip_row *row = &ingest->row;
    const char *slash = strrchr(ingest->info->pattern, '/');

    row->source = ip_strdup(ingest->info->pattern);
    row->path = ingest->config->copy ? ip_format("footage/%s/%s", row->name, slash ? slash + 1 : ingest->info->pattern)
                                     : ip_strdup(ingest->info->pattern);
    return row->source && row->path ? IPOS_OK : ip_no_memory(256);
}

static ipos_status found_of(ip_ingest *ingest)
{
    const ip_media_info *info = ingest->info;
    ip_clip_row *row = &ingest->row;
    char when[32];

    ip_utc_text(when);
    row->kind = ip_strdup(info->movie ? "movie" : "sequence");
    row->format = ip_strdup(info->format);
    row->codec = ip_strdup(info->codec ? info->codec : "");
    row->state = ip_strdup("ingesting");
    row->created = ip_strdup(when);
    row->cuts = ip_strdup("[]");
    row->duplicates = ip_strdup("[]");
    row->missing = ip_strdup("[]");
    if (info->has_timecode)
        row->timecode = ip_format("%02d:%02d:%02d%c%02d", info->timecode.hours, info->timecode.minutes, info->timecode.seconds,
            info->timecode.drop_frame ? ';' : ':', info->timecode.frames);
    row->movie_first = info->movie ? ingest->config->first_frame : 0;
    row->first = info->first + row->movie_first;
    row->last = info->last + row->movie_first;
    row->width = info->width;
    row->height = info->height;
    row->sample_type = info->sample_type;
    row->bits = info->bits;
    row->copied = ingest->config->copy != 0;
    row->duplicate_check = ingest->config->duplicate_check < 0 ? -1 : 0;
    return row->kind && row->format && row->codec && row->state && row->created && row->cuts && row->duplicates && row->missing
        ? IPOS_OK : ip_no_memory(256);
}

ipos_status ip_ingest_settings(ip_ingest *ingest)
{
    const ipos_clip_config *config = ingest->config;
    ip_clip_row *row = &ingest->row;

    IP_TRY(need_text(config->owner, "the owner of the footage", &row->owner));
    IP_TRY(need_text(config->licence, "the licence, the basis on which the footage is used,", &row->licence));
    row->name = ip_strdup(config->name);
    row->training = config->training;
    if (config->permission_source && *config->permission_source)
        IP_TRY(need_text(config->permission_source, "the permission's source", &row->permission_source));
    IP_TRY(operations_of(config->operations, &row->operations));
    IP_TRY(consents_of(config->consents, &row->consents));
    IP_TRY(ip_doc_give(ip_doc_split(config->tags), &row->tags));
    IP_TRY(rate_of(ingest));
    IP_TRY(encoding_of(ingest));
    IP_TRY(places_of(ingest));
    return found_of(ingest);
}

ipos_status ip_ingest_compare(const ip_clip_row *old, const ip_clip_row *asked)
{
    json_t *a = ip_clip_record(old, false), *b = ip_clip_record(asked, false), *value;
    const char *key;
    ip_buffer differing = {0};
    ipos_status status = IPOS_OK;

    json_object_foreach(a, key, value)
        if (!json_equal(value, json_object_get(b, key)))
            ip_buffer_printf(&differing, "%s%s", differing.size ? ", " : "", key);
    if (old->training != asked->training)
        ip_buffer_printf(&differing, "%straining (it is %s; change it with its own call)", differing.size ? ", " : "",
            ip_training_name(old->training));
    if (!a || !b || differing.failed)
        status = ip_no_memory(256);
    else if (differing.size)
        status = ip_fail(IPOS_ERR_CONFLICT, "clip \"%s\": is in the project with other settings: %.*s; give this footage another name", old->name,
            (int)differing.size, differing.data);
    ip_buffer_free(&differing);
    json_decref(a);
    json_decref(b);
    return status;
}
