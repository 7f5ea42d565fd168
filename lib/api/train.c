/* Training: the engine works, this side guards permissions, keeps checkpoints and stores the model. */
#include "api_train.h"
#include "fingerprint.h"

static const double PREVIEW_SECONDS = 2;

static ipos_status fetch(void *user, size_t clip, int64_t number, ipos_frame **out)
{
    ip_train *train = user;

    *out = NULL;
    if (clip >= train->name_count)
        return ip_fail(IPOS_ERR_ENGINE, "the engine asked for clip %zu of %zu", clip, train->name_count);
    IP_TRY(ip_store_check_permission(train->project->store, train->names[clip], train->spec->name, true));
    return ip_store_frame(train->project->store, train->names[clip], number, out);
}

static ipos_status save_checkpoint(void *user, const void *bytes, size_t size)
{
    ip_train *train = user;
    char *settings;

    IP_TRY(ip_train_permissions(train)); /* one may have been withdrawn while we trained */
    IP_TRY(ip_train_settings(train, &settings));
    ipos_status status = ip_store_checkpoint_save(train->project->store, train->config.name, settings, bytes, size);
    ip_free(settings);
    return status;
}

/* Only the finished model's card holds it: it is long, and no part of what repeats a training. */
static ipos_status add_look(const ip_train *train, char **settings)
{
    if (!train->look)
        return IPOS_OK;
    json_t *all = json_loads(*settings, 0, NULL);
    ip_free(*settings);
    *settings = NULL;
    if (!all || json_object_set(all, "look", train->look) != 0) {
        json_decref(all);
        return ip_no_memory(4096);
    }
    return ip_json_give(all, settings);
}

static ipos_status save_model(void *user, const void *bytes, size_t size, const char *measured)
{
    ip_train *train = user;
    char *settings, *clips = NULL;

    IP_TRY(ip_train_settings(train, &settings));
    ipos_status status = add_look(train, &settings);
    if (status == IPOS_OK && !(clips = ip_train_clip_list(train)))
        status = IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = ip_store_model_save(train->project->store, train->config.name, train->spec->name, clips, settings, measured,
            train->started, bytes, size);
    train->saved = status == IPOS_OK;
    ip_free(clips);
    ip_free(settings);
    return status;
}

static ipos_status write_preview(ip_train *train)
{
    ipos_write_config config = {sizeof config, .format = "png"};

    if (!train->preview)
        return IPOS_OK;
    ipos_status status = ipos_frame_write(&train->preview, 1, train->config.preview, &config);
    ipos_frame_release(train->preview);
    train->preview = NULL;
    train->preview_written = ip_now();
    train->preview_there = train->preview_there || status == IPOS_OK;
    return status;
}

static ipos_status take_preview(void *user, ipos_frame *picture)
{
    ip_train *train = user;

    if (!train->config.preview)
        return IPOS_OK;
    ipos_frame_retain(picture);
    ipos_frame_release(train->preview);
    train->preview = picture;
    if (train->preview_there && ip_now() - train->preview_written < PREVIEW_SECONDS)
        return IPOS_OK;
    return write_preview(train);
}

/* Adds where the preview lies to what the engine reports. */
static int32_t report(void *user, double done, double remaining, const char *stage, const char *json)
{
    ip_train *train = user;
    char *text = NULL;

    if (!train->progress)
        return 0;
    if (train->preview_there) {
        json_t *object = json_loads(json ? json : "", 0, NULL);
        if (json_is_object(object)) {
            json_object_set_new(object, "preview", json_string(train->config.preview));
            if (ip_json_give(object, &text) != IPOS_OK)
                text = NULL;
        } else {
            json_decref(object);
        }
    }
    const int32_t stop = train->progress(train->user, done, remaining, stage, text ? text : json);
    ip_free(text);
    return stop;
}

static ipos_status run_job(ip_train *train, ip_engine *engine)
{
    ip_option_values *options = ip_options_new(train->spec->options, train->spec->option_count);

    if (!options)
        return IPOS_ERR_NO_MEMORY;
    const double budget = train->config.minutes * 60;
    const ip_job job = {
        .operation = train->spec->name,
        .train = true,
        .specs = train->spec->options,
        .options = options,
        .clips = train->views,
        .clip_count = train->name_count,
        .checkpoint = train->checkpoint,
        .checkpoint_bytes = train->checkpoint_bytes,
        .device = train->config.device,
        .threads = train->config.threads,
        /* a resumed run whose time is used up still has to finish: score, choose the best, hand over */
        .seconds = budget > 0 ? IP_MAX(budget - train->elapsed, 1.0) : 0,
        .checkpoint_seconds = train->project->context->config.checkpoint_seconds,
        .steps = train->config.steps,
        .seed = train->config.seed,
        .user = train,
        .fetch = fetch,
        .checkpoint_saved = save_checkpoint,
        .model_saved = save_model,
        .preview = take_preview,
        .progress = report,
    };
    ipos_status status = ip_engine_run(engine, &job);
    ip_options_free(options);
    if (status == IPOS_OK && !train->saved)
        status = ip_fail(IPOS_ERR_ENGINE, "training of '%s' ended without a model", train->config.name);
    if (status == IPOS_OK)
        status = write_preview(train);
    return status;
}

static ipos_status find_finished(ip_train *train, bool *finished)
{
    char *text;
    size_t i;
    json_t *entry;

    *finished = false;
    IP_TRY(ip_store_models_json(train->project->store, &text));
    json_t *models = json_loads(text, 0, NULL);
    ip_free(text);
    json_array_foreach(models, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "name"));
        const char *state = json_string_value(json_object_get(entry, "state"));
        if (name && state && strcmp(name, train->config.name) == 0 && strcmp(state, "ready") == 0)
            *finished = true;
    }
    json_decref(models);
    return IPOS_OK;
}

/* A finished model is not replaced: options were made with it. Repeating, with resume, the call that made it finds it done. */
static ipos_status check_repeated(ip_train *train)
{
    static const char *const compared[] = {"operation", "clips", "seed", "steps", "minutes"};
    const char *name = train->config.name, *other = train->config.resume ? NULL : "";
    ipos_model *model;

    if (!other) {
        IP_TRY(ipos_model_open(train->project, name, &model));
        json_t *card = json_loads(model->card, 0, NULL), *settings = json_object_get(card, "settings");
        for (size_t i = 0; i < IP_COUNT(compared) && !other; i++)
            if (!json_equal(json_object_get(settings, compared[i]), json_object_get(train->request, compared[i])))
                other = compared[i];
        json_decref(card);
        ipos_model_release(model);
    }
    if (!other)
        return IPOS_OK;
    return ip_fail(IPOS_ERR_CONFLICT, "model '%s' is finished already%s%s: train another under a new name", name,
        *other ? " and was trained with other " : "", other);
}

static ipos_status record_start(const ip_train *train)
{
    char *settings;

    IP_TRY(ip_train_settings(train, &settings));
    char *details = ip_format("{\"model\":\"%s\",\"resumed\":%s,\"settings\":%s}", train->config.name,
        train->checkpoint ? "true" : "false", settings);
    ip_free(settings);
    if (!details)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = ip_ledger_append(train->project->store, "train", train->config.operator_name, details);
    ip_free(details);
    return status;
}

static ipos_status train_in(ip_train *train)
{
    ip_engine *engine;
    bool finished;

    IP_TRY(find_finished(train, &finished));
    IP_TRY(ip_train_prepare(train));
    if (finished)
        return check_repeated(train);
    IP_TRY(record_start(train));
    IP_TRY(ip_context_engine(train->project->context, &engine));
    return run_job(train, engine);
}

static ipos_status take_look(ip_train *train, const char *text)
{
    json_error_t error;

    train->look = json_loads(text, 0, &error);
    return train->look ? ip_fingerprint_check(train->look)
                       : ip_fail(IPOS_ERR_FORMAT, "look: not JSON (line %d, column %d: %s)", error.line, error.column, error.text);
}

static ipos_status check_config(ip_train *train, const ipos_train_config *config)
{
    ipos_train_config *taken = &train->config;

    IP_TRY(ip_take_config(taken, sizeof *taken, config, sizeof *taken, "ipos_train_config"));
    IP_TRY(ip_check_text(taken->name, "name of the model"));
    if (!ip_name_ok(taken->name))
        return ip_fail(IPOS_ERR_ARGUMENT, "model name '%s': use letters, digits, '.', '_', '-' (at most 100)", taken->name);
    IP_TRY(ip_check_text(taken->operation, "operation"));
    if (!(train->spec = ip_op_spec_find(taken->operation)))
        return ip_fail(IPOS_ERR_NOT_FOUND, "operation '%s' is not known", taken->operation);
    if (!train->spec->trainable)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "operation '%s' learns nothing: it works without a model", taken->operation);
    if (!(taken->minutes >= 0 && taken->minutes < 1e7) || taken->steps < 0 || taken->threads < 0 || taken->threads > 1024)
        return ip_fail(IPOS_ERR_ARGUMENT, "minutes %g, steps %lld, threads %d: must not be negative, nor threads above 1024", taken->minutes,
            (long long)taken->steps, taken->threads);
    if (taken->seed > INT64_MAX)
        return ip_fail(IPOS_ERR_ARGUMENT, "seed %llu: at most 2^63-1", (unsigned long long)taken->seed);
    if (taken->look)
        IP_TRY(take_look(train, taken->look));
    if (taken->clips && !*taken->clips)
        return ip_fail(IPOS_ERR_ARGUMENT, "clips: empty: name some, or give NULL for all that may be trained on");
    if (taken->minutes == 0 && taken->steps == 0)
        taken->minutes = 10;
    if (!taken->device)
        taken->device = "auto";
    if (!taken->threads)
        taken->threads = train->project->context->config.threads;
    return IPOS_OK;
}

ipos_status ipos_model_train(ipos_project *project, const ipos_train_config *config, ipos_progress_fn progress, void *user,
    ipos_model **out)
{
    ip_train train = {.project = project, .progress = progress, .user = user};

    if (out)
        *out = NULL;
    IP_NEED(config);
    IP_TRY(ip_enter(project));
    ipos_status status = check_config(&train, config);
    if (status == IPOS_OK)
        status = train_in(&train);
    if (status == IPOS_OK && out)
        status = ipos_model_open(project, train.config.name, out);
    ip_train_clear(&train);
    return ip_leave(project, status);
}
