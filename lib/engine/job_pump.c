#include "job.h"

#include <math.h>
#include <stdlib.h>

enum { CANCEL_PATIENCE = 10 }; /* seconds an engine has to stop in order */

typedef struct job_state {
    ip_connection *connection;
    const ip_job *job;
    uint32_t id;
    ipos_status failure; /* of a callback or the client's own: what the job will return */
    char *failure_text;
    bool stopping;
    double stop_sent, started, done;
    bool over;
    ipos_status result;
    char *result_text, *info;
} job_state;

typedef ipos_status (*handler)(job_state *state, const json_t *body);

/* Ends the job in order, with the error text of this thread. The first reason stands. */
static ipos_status stop(job_state *state, ipos_status reason)
{
    if (state->stopping)
        return IPOS_OK;
    state->failure = reason;
    state->failure_text = ip_strdup(ipos_last_error());
    state->stopping = true;
    state->stop_sent = ip_now();
    return ip_connection_send(state->connection, IP_CANCEL, json_pack("{s:I}", "job", (json_int_t)state->id));
}

/* What goes wrong on this side is the job's failure; what the engine said wrong is the connection's. */
static bool is_ours(ipos_status status)
{
    return status == IPOS_ERR_NO_MEMORY || status == IPOS_ERR_IO;
}

static ipos_status on_fetch(job_state *state, const json_t *body)
{
    int64_t clip, number, request;
    json_t *frame = NULL;
    ipos_frame *picture = NULL;
    const ip_job *job = state->job;
    if (!job || !job->clip_count)
        return ip_fail(IPOS_ERR_FORMAT, "it asks for a frame where there are none");
    IP_TRY(ip_json_int(body, "clip", 0, (int64_t)job->clip_count - 1, &clip));
    IP_TRY(ip_json_int(body, "number", INT64_MIN, INT64_MAX, &number));
    IP_TRY(ip_json_int(body, "request", 0, INT64_MAX, &request));
    ipos_status status = ip_fail(IPOS_ERR_CANCELLED, "the job is being stopped");
    if (!state->stopping) {
        status = job->fetch ? job->fetch(job->user, (size_t)clip, number, &picture) : ip_fail(IPOS_ERR_NOT_FOUND, "no frames are given");
        if (status == IPOS_OK && !picture)
            status = ip_fail(IPOS_ERR_STATE, "frame %lld: the host's callback gave none", (long long)number);
        if (status == IPOS_OK)
            status = ip_frame_lend(picture, state->connection->pool, state->connection->loans, &frame);
        if (picture)
            ipos_frame_release(picture);
        if (status != IPOS_OK && status != IPOS_ERR_NOT_FOUND)
            IP_TRY(stop(state, status));
    }
    json_t *reply = status == IPOS_OK ? json_pack("{s:I,s:I,s:o}", "job", (json_int_t)state->id, "request", (json_int_t)request, "frame", frame)
                                      : json_pack("{s:I,s:I,s:i,s:o}", "job", (json_int_t)state->id, "request", (json_int_t)request,
                                            "status", (int)status, "text", ip_json_from_text(ipos_last_error()));
    return ip_connection_send(state->connection, IP_FRAME, reply);
}

/* Answers what the engine handed over: it waits for that before it hands over much more. */
static ipos_status taken(job_state *state, const json_t *body, ipos_status status)
{
    int64_t request;
    if (status != IPOS_OK)
        IP_TRY(stop(state, status));
    IP_TRY(ip_json_int(body, "request", 0, INT64_MAX, &request));
    return ip_connection_send(state->connection, IP_TAKEN, json_pack("{s:I,s:I,s:i}", "job", (json_int_t)state->id, "request",
        (json_int_t)request, "status", (int)status));
}

static ipos_status on_emit(job_state *state, const json_t *body)
{
    const char *variant;
    ipos_rational time;
    double confidence;
    json_t *evidence_json = json_object_get(body, "evidence");
    ipos_frame *picture = NULL, *evidence = NULL;
    IP_TRY(ip_json_text(body, "variant", &variant));
    IP_TRY(ip_json_rational(json_object_get(body, "time"), &time));
    IP_TRY(ip_json_real(body, "confidence", &confidence));
    ipos_status status = ip_frame_borrow(json_object_get(body, "frame"), &state->connection->lender, &picture);
    if (status == IPOS_OK && evidence_json && !json_is_null(evidence_json))
        status = ip_frame_borrow(evidence_json, &state->connection->lender, &evidence);
    if (status != IPOS_OK && !is_ours(status)) {
        ipos_frame_release(picture);
        return status;
    }
    if (status == IPOS_OK && !state->stopping && state->job && state->job->emit)
        status = state->job->emit(state->job->user, variant, time, confidence, picture, evidence);
    ipos_frame_release(picture);
    ipos_frame_release(evidence);
    return taken(state, body, status);
}

static ipos_status on_variant(job_state *state, const json_t *body)
{
    const char *variant, *title;
    int64_t rank;
    double score;
    json_t *details = json_object_get(body, "details");
    IP_TRY(ip_json_text(body, "variant", &variant));
    IP_TRY(ip_json_text(body, "title", &title));
    IP_TRY(ip_json_int(body, "rank", 0, 1000000, &rank));
    IP_TRY(ip_json_real(body, "score", &score));
    if (state->stopping || !state->job || !state->job->variant)
        return IPOS_OK;
    char *text = json_is_object(details) ? json_dumps(details, JSON_COMPACT) : NULL;
    if (!text && json_is_object(details))
        return stop(state, ip_no_memory(4096));
    ipos_status status = state->job->variant(state->job->user, variant, title, (int)rank, score, text);
    free(text);
    return status == IPOS_OK ? IPOS_OK : stop(state, status);
}

static ipos_status on_bytes(job_state *state, const json_t *body, bool model)
{
    const ip_job *job = state->job;
    ip_borrowed_bytes bytes;
    json_t *measured = json_object_get(body, "measured");
    ipos_status status = ip_bytes_borrow(body, &state->connection->lender, &bytes);
    if (status != IPOS_OK && !is_ours(status))
        return status;
    if (status == IPOS_OK && job && !state->stopping && model && job->model_saved) {
        char *text = json_is_object(measured) ? json_dumps(measured, JSON_COMPACT) : NULL;
        if (!text && json_is_object(measured))
            status = ip_no_memory(4096);
        else
            status = job->model_saved(job->user, bytes.view, bytes.size, text ? text : "{}");
        free(text);
    } else if (status == IPOS_OK && job && !model && job->checkpoint_saved && (!state->stopping || state->failure == IPOS_ERR_CANCELLED)) {
        status = job->checkpoint_saved(job->user, bytes.view, bytes.size);
    }
    ip_bytes_return(&bytes, &state->connection->lender);
    return taken(state, body, status);
}

static ipos_status on_checkpoint(job_state *state, const json_t *body)
{
    return on_bytes(state, body, false);
}

static ipos_status on_model(job_state *state, const json_t *body)
{
    return on_bytes(state, body, true);
}

static ipos_status on_preview(job_state *state, const json_t *body)
{
    ipos_frame *picture = NULL;
    ipos_status status = ip_frame_borrow(json_object_get(body, "frame"), &state->connection->lender, &picture);
    if (status != IPOS_OK && !is_ours(status))
        return status;
    if (status == IPOS_OK && !state->stopping && state->job && state->job->preview)
        status = state->job->preview(state->job->user, picture);
    ipos_frame_release(picture);
    return taken(state, body, status);
}

static ipos_status on_keep(job_state *state, const json_t *body)
{
    const ip_job *job = state->job;
    const char *key;
    ip_borrowed_bytes bytes;
    IP_TRY(ip_json_text(body, "key", &key));
    ipos_status status = ip_bytes_borrow(body, &state->connection->lender, &bytes);
    if (status != IPOS_OK && !is_ours(status))
        return status;
    if (status == IPOS_OK && job && job->keep && !state->stopping)
        status = job->keep(job->user, key, bytes.view, bytes.size);
    ip_bytes_return(&bytes, &state->connection->lender);
    return taken(state, body, status);
}

static ipos_status on_recall(job_state *state, const json_t *body)
{
    const ip_job *job = state->job;
    const char *key;
    int64_t request;
    void *bytes = NULL;
    size_t size = 0;
    json_t *block = NULL;
    IP_TRY(ip_json_text(body, "key", &key));
    IP_TRY(ip_json_int(body, "request", 0, INT64_MAX, &request));
    ipos_status status = job && job->recall && !state->stopping ? job->recall(job->user, key, &bytes, &size) : IPOS_OK;
    if (status == IPOS_OK && bytes)
        status = ip_bytes_lend(bytes, size, state->connection->pool, state->connection->loans, &block);
    ip_free(bytes);
    if (status != IPOS_OK)
        IP_TRY(stop(state, status));
    json_t *reply = json_pack("{s:I,s:I}", "job", (json_int_t)state->id, "request", (json_int_t)request);
    if (block)
        json_object_set_new(reply, "block", block);
    return ip_connection_send(state->connection, IP_RECALLED, reply);
}

static void on_tick(ip_connection *connection, const json_t *body)
{
    const json_t *tick = json_object_get(body, "tick");
    if (!json_is_integer(tick) || json_integer_value(tick) == connection->tick)
        return;
    connection->tick = json_integer_value(tick);
    connection->stalled = 0;
}

static ipos_status on_progress(job_state *state, const json_t *body)
{
    const char *stage;
    double done, remaining = -1;
    json_t *extra = json_object_get(body, "extra");
    on_tick(state->connection, body);
    IP_TRY(ip_json_real(body, "done", &done));
    IP_TRY(ip_json_text(body, "stage", &stage));
    if (state->stopping || !state->job || !state->job->progress)
        return IPOS_OK;
    state->done = done = fmax(state->done, fmin(fmax(done, 0), 1));
    if (json_is_number(json_object_get(extra, "remaining")))
        remaining = json_number_value(json_object_get(extra, "remaining"));
    else if (done > .02)
        remaining = (ip_now() - state->started) * (1 - done) / done;
    json_t *all = json_is_object(extra) ? json_copy(extra) : json_object();
    json_object_set_new(all, "stage", ip_json_from_text(stage));
    json_object_set_new(all, "done", ip_json_from_real(done));
    json_object_set_new(all, "remaining", ip_json_from_real(remaining));
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    int32_t stopped = state->job->progress(state->job->user, done, remaining, stage, text ? text : "{}");
    free(text);
    return stopped ? stop(state, ip_fail(IPOS_ERR_CANCELLED, "stopped by the progress callback")) : IPOS_OK;
}

static ipos_status on_done(job_state *state, const json_t *body)
{
    int64_t status;
    const char *text = json_string_value(json_object_get(body, "text"));
    json_t *info = json_object_get(body, "info");
    IP_TRY(ip_json_int(body, "status", -64, 0, &status));
    state->over = true;
    state->result = (ipos_status)status;
    state->result_text = ip_strdup(text ? text : "");
    if (json_is_object(info) && state->result == IPOS_OK)
        state->info = json_dumps(info, JSON_COMPACT);
    return IPOS_OK;
}

static ipos_status on_release(ip_connection *connection, const json_t *body)
{
    json_t *block;
    int64_t pool, offset;
    IP_TRY(ip_json_member(body, "block", JSON_OBJECT, &block));
    IP_TRY(ip_json_int(block, "pool", 0, 0, &pool));
    IP_TRY(ip_json_int(block, "offset", 0, INT64_MAX, &offset));
    return ip_loans_return(connection->loans, (uint64_t)offset);
}

static void on_log(ip_connection *connection, const json_t *body)
{
    const char *text = json_string_value(json_object_get(body, "text"));
    json_int_t level = json_integer_value(json_object_get(body, "level"));
    if (connection->config->log && text)
        connection->config->log(connection->config->log_user, (int)IP_MAX(IPOS_LOG_ERROR, IP_MIN(level, IPOS_LOG_DEBUG)), text);
}

static ipos_status dispatch(job_state *state, const ip_message *message)
{
    static const handler handlers[IP_MESSAGE_TYPES] = {[IP_FETCH] = on_fetch, [IP_PROGRESS] = on_progress, [IP_EMIT] = on_emit,
        [IP_VARIANT] = on_variant, [IP_CHECKPOINT] = on_checkpoint, [IP_MODEL] = on_model, [IP_PREVIEW] = on_preview, [IP_KEEP] = on_keep, [IP_RECALL] = on_recall,
        [IP_DONE] = on_done};
    int64_t job;
    switch (message->type) {
    case IP_ALIVE:
        on_tick(state->connection, message->body);
        return IPOS_OK;
    case IP_RELEASE:
        return on_release(state->connection, message->body);
    case IP_LOG:
        on_log(state->connection, message->body);
        return IPOS_OK;
    default:
        break;
    }
    if (!handlers[message->type])
        return ip_fail(IPOS_ERR_FORMAT, "it sends %s, which only a client may", ip_message_name(message->type));
    IP_TRY(ip_json_int(message->body, "job", state->id, state->id, &job));
    ipos_status status = handlers[message->type](state, message->body);
    if (message->type != IP_PROGRESS)
        ip_connection_resume(state->connection); /* work was done, by either side */
    else
        state->connection->loop = ip_now();
    return status;
}

static ipos_status turn(job_state *state)
{
    ip_message message;
    const ip_job *job = state->job;
    IP_TRY(ip_connection_next(state->connection, .05, &message));
    if (message.type) {
        ipos_status status = dispatch(state, &message);
        ip_message_clear(&message);
        IP_TRY(status);
    }
    if (state->over)
        return IPOS_OK;
    if (job && ip_cancelled(job->cancel) && !state->stopping)
        IP_TRY(stop(state, ip_fail(IPOS_ERR_CANCELLED, "cancelled")));
    if (state->stopping && ip_now() - state->stop_sent > CANCEL_PATIENCE)
        return ip_fail(IPOS_ERR_ENGINE, "it did not stop within %d s of being told to", CANCEL_PATIENCE);
    return ip_connection_judge(state->connection);
}

ipos_status ip_job_pump(ip_connection *connection, const ip_job *job, uint32_t id, char **info, bool *broken)
{
    job_state state = {.connection = connection, .job = job, .id = id, .started = ip_now()};
    ipos_status status = IPOS_OK;
    ip_connection_resume(connection);
    while (status == IPOS_OK && !state.over)
        status = turn(&state);
    *broken = status != IPOS_OK;
    if (status == IPOS_ERR_NO_MEMORY) {
        ip_connection_close(connection, 0, NULL);
        status = ip_fail(status, "engine: out of memory while talking to it");
    } else if (*broken) {
        status = ip_connection_fail(connection, ipos_last_error());
    }
    if (state.stopping)
        status = ip_fail(state.failure, "%s", state.failure_text ? state.failure_text : "stopped");
    else if (state.over && state.result != IPOS_OK)
        status = ip_fail(state.result, "%s", state.result_text && *state.result_text ? state.result_text : ipos_status_name(state.result));
    if (status == IPOS_OK && info) {
        *info = state.info;
        state.info = NULL;
    }
    ip_free(state.failure_text);
    ip_free(state.result_text);
    free(state.info);
    return status;
}
