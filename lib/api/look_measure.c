/* Measuring the look: which clips, the engine's job, the document. */
#include "api_look.h"

typedef struct ip_measure {
    ipos_project *project;
    ipos_look_config config;
    const ip_op_spec *spec;
    json_t *about;         /* clips as the catalogue lists them */
    ip_store_clip *stored;
    ip_op_clip *views;
    json_t **entries;      /* measured */
    size_t count;
    ipos_progress_fn progress;
    void *user;
} ip_measure;

static ipos_status fetch(void *user, size_t clip, int64_t number, ipos_frame **out)
{
    ip_measure *measure = user;

    *out = NULL;
    if (clip >= measure->count)
        return ip_fail(IPOS_ERR_ENGINE, "the engine asked for clip %zu of %zu", clip, measure->count);
    return ip_store_source_frame(measure->project->store, measure->views[clip].name, number, out);
}

static ipos_status take_entry(void *user, const char *name, const char *title, int rank, double score, const char *details)
{
    ip_measure *measure = user;

    (void)title, (void)score;
    if (rank < 0 || (size_t)rank >= measure->count || strcmp(measure->views[rank].name, name) != 0 || measure->entries[rank])
        return ip_fail(IPOS_ERR_ENGINE, "the engine measured clip %d, '%s', which nobody asked for", rank, name);
    measure->entries[rank] = json_loads(details ? details : "", 0, NULL);
    return measure->entries[rank] ? IPOS_OK : ip_fail(IPOS_ERR_ENGINE, "the engine's measurement of clip '%s' is no JSON", name);
}

static int32_t report(void *user, double done, double remaining, const char *stage, const char *json)
{
    const ip_measure *measure = user;

    return measure->progress ? measure->progress(measure->user, done, remaining, stage, json) : 0;
}

static ipos_status add_clip(ip_measure *measure, const char *name)
{
    ip_store *store = measure->project->store;
    size_t i;
    json_t *entry;
    char *text;

    json_array_foreach(measure->about, i, entry)
        if (strcmp(json_string_value(json_object_get(entry, "name")), name) == 0)
            return ip_fail(IPOS_ERR_ARGUMENT, "clips: '%s' is named twice", name);
    IP_TRY(ip_store_check_permission(store, name, measure->spec->name, false));
    IP_TRY(ip_store_clips_json(store, name, &text));
    json_t *list = json_loads(text, 0, NULL);
    ip_free(text);
    json_array_extend(measure->about, list);
    json_decref(list);
    return IPOS_OK;
}

static ipos_status add_named(ip_measure *measure)
{
    for (const char *at = measure->config.clips; *at;) {
        const char *end = strchrnul(at, ','), *stop = end;
        while (at < stop && *at == ' ')
            at++;
        while (stop > at && stop[-1] == ' ')
            stop--;
        char *name = ip_format("%.*s", (int)(stop - at), at);
        if (!name)
            return IPOS_ERR_NO_MEMORY;
        ipos_status status = *name ? add_clip(measure, name) : ip_fail(IPOS_ERR_ARGUMENT, "clips: an empty name in '%s'", measure->config.clips);
        ip_free(name);
        IP_TRY(status);
        at = *end ? end + 1 : end;
    }
    return IPOS_OK;
}

/* Those that are ready and may be used. */
static ipos_status add_all(ip_measure *measure)
{
    size_t i;
    json_t *entry;
    char *text;

    IP_TRY(ip_store_clips_json(measure->project->store, NULL, &text));
    json_t *list = json_loads(text, 0, NULL);
    ip_free(text);
    json_array_foreach(list, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "name"));
        if (name && ip_store_check_permission(measure->project->store, name, measure->spec->name, false) == IPOS_OK)
            json_array_append(measure->about, entry);
    }
    json_decref(list);
    return IPOS_OK;
}

static ipos_status choose(ip_measure *measure)
{
    measure->about = json_array();
    if (!measure->about)
        return ip_no_memory(64);
    IP_TRY(measure->config.clips ? add_named(measure) : add_all(measure));
    measure->count = json_array_size(measure->about);
    if (measure->count == 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "look: this project has no clip that may be measured: ingest one whose operations allow \"%s\"",
            measure->spec->name);
    measure->stored = ip_calloc(measure->count, sizeof *measure->stored);
    measure->views = ip_calloc(measure->count, sizeof *measure->views);
    measure->entries = ip_calloc(measure->count, sizeof *measure->entries);
    if (!measure->stored || !measure->views || !measure->entries)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < measure->count; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(measure->about, i), "name"));
        IP_TRY(ip_store_clip_get(measure->project->store, name, &measure->stored[i]));
        ip_clip_view(&measure->stored[i], &measure->views[i]);
    }
    return IPOS_OK;
}

static ipos_status set_options(const ip_measure *measure, ip_option_values *options)
{
    char number[16];

    snprintf(number, sizeof number, "%d", (int)measure->config.shots);
    if (measure->config.shots)
        IP_TRY(ip_options_set(options, "shots", number));
    return measure->config.marks ? ip_options_set(options, "marks", measure->config.marks) : IPOS_OK;
}

static ipos_status run_engine(ip_measure *measure)
{
    const ipos_context_config *config = &measure->project->context->config;
    ip_option_values *options = ip_options_new(measure->spec->options, measure->spec->option_count);
    ip_engine *engine;

    if (!options)
        return IPOS_ERR_NO_MEMORY;
    const ip_job job = {
        .operation = measure->spec->name,
        .specs = measure->spec->options,
        .options = options,
        .clips = measure->views,
        .clip_count = measure->count,
        .device = "cpu",
        .threads = measure->config.threads ? measure->config.threads : config->threads,
        .user = measure,
        .fetch = fetch,
        .variant = take_entry,
        .progress = report,
    };
    ipos_status status = set_options(measure, options);
    if (status == IPOS_OK)
        status = ip_context_engine(measure->project->context, &engine);
    if (status == IPOS_OK)
        status = ip_engine_run(engine, &job);
    ip_options_free(options);
    return status;
}

/* What the catalogue says of a clip joins what was measured on it. */
static ipos_status finish(ip_measure *measure, ipos_look **out)
{
    json_t *clips = json_array(), *document;

    for (size_t i = 0; i < measure->count; i++) {
        const json_t *about = json_array_get(measure->about, i);
        json_t *entry = measure->entries[i];
        if (!entry) {
            json_decref(clips);
            return ip_fail(IPOS_ERR_ENGINE, "the engine ended without having measured clip '%s'", measure->views[i].name);
        }
        json_object_set(entry, "clip", json_object_get(about, "name"));
        json_object_set(entry, "encoding", json_object_get(about, "encoding"));
        json_object_set(entry, "tags", json_object_get(about, "tags"));
        json_array_append(clips, entry);
    }
    IP_TRY(ip_fingerprint_new(ip_store_id(measure->project->store), clips, &document));
    return ip_look_new(document, out);
}

static void clear(ip_measure *measure)
{
    for (size_t i = 0; i < measure->count; i++) {
        if (measure->stored)
            ip_store_clip_free(&measure->stored[i]);
        if (measure->entries)
            json_decref(measure->entries[i]);
    }
    ip_free(measure->stored);
    ip_free(measure->views);
    ip_free(measure->entries);
    json_decref(measure->about);
}

static ipos_status check_config(const ipos_look_config *config)
{
    if (config->threads < 0 || config->threads > 1024)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_look_config: threads is %d, expected 0 to 1024", (int)config->threads);
    if (config->shots < 0 || config->shots > 1000)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_look_config: shots is %d, expected 0 to 1000", (int)config->shots);
    if (config->clips && !*config->clips)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_look_config: clips is empty: name some, or give NULL for all");
    return IPOS_OK;
}

ipos_status ipos_look_measure(ipos_project *project, const ipos_look_config *config, ipos_progress_fn progress, void *user,
    ipos_look **out)
{
    ip_measure measure = {.project = project, .spec = ip_op_spec_measure("look"), .progress = progress, .user = user};

    IP_OUT(out);
    if (config)
        IP_TRY(ip_take_config(&measure.config, sizeof measure.config, config, sizeof measure.config, "ipos_look_config"));
    IP_TRY(check_config(&measure.config));
    if (!measure.spec)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "this build measures no look");
    IP_TRY(ip_enter(project));
    ipos_status status = choose(&measure);
    if (status == IPOS_OK)
        status = run_engine(&measure);
    if (status == IPOS_OK)
        status = finish(&measure, out);
    clear(&measure);
    return ip_leave(project, status);
}
