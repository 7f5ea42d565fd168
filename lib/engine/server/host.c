#include "server_state.h"

#include <math.h>

enum { IN_HAND = 2 }; /* results on their way to the client while the next is made */
static const double progress_pause = .05;

static ip_server_job *job_of(ip_op_host *host)
{
    return host->user;
}

static ipos_status stopped(ip_server_job *job)
{
    atomic_fetch_add(&job->server->tick, 1);
    return ip_cancelled(&job->server->cancel) ? ip_fail(IPOS_ERR_CANCELLED, "cancelled") : IPOS_OK;
}

static void send_held_back(ip_server_job *job)
{
    if (job->held_back)
        ip_server_send(job->server, IP_PROGRESS, job->held_back);
    job->held_back = NULL;
}

static ipos_status open_reply(ip_server *server, const ip_message *reply, ipos_frame **out)
{
    int64_t status;
    const json_t *frame = json_object_get(reply->body, "frame");
    const char *text = json_string_value(json_object_get(reply->body, "text"));
    if (frame)
        return ip_frame_borrow(frame, &server->lender, out);
    IP_TRY(ip_json_int(reply->body, "status", -64, -1, &status));
    return ip_fail((ipos_status)status, "%s", text ? text : "");
}

/* Sends a question and waits for its answer, a message of that type. Steals body, which gets a request. */
static ipos_status ask(ip_server_job *job, int type, int expected, json_t *body, ip_message *reply)
{
    ip_server *server = job->server;
    *reply = (ip_message){0};
    send_held_back(job);
    pthread_mutex_lock(&server->lock);
    json_object_set_new(body, "request", json_integer(++server->request));
    pthread_mutex_unlock(&server->lock);
    IP_TRY(ip_server_send(server, type, body));
    pthread_mutex_lock(&server->lock);
    while (!server->reply.type && !server->closing)
        ip_server_wait(server, 1);
    *reply = server->reply;
    server->reply = (ip_message){0};
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_add(&server->tick, 1);
    if (!reply->type)
        return ip_fail(IPOS_ERR_CANCELLED, "the client has gone");
    if (reply->type == expected)
        return IPOS_OK;
    ip_message_clear(reply);
    return ip_fail(IPOS_ERR_FORMAT, "the client answered something else than was asked");
}

static ipos_status fetch(ip_op_host *host, size_t clip, int64_t number, ipos_frame **out)
{
    ip_server_job *job = job_of(host);
    ip_message reply;
    *out = NULL;
    IP_TRY(stopped(job));
    if (clip >= host->clip_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "clip %zu of %zu", clip, host->clip_count);
    IP_TRY(ask(job, IP_FETCH, IP_FRAME, json_pack("{s:I,s:I,s:I}", "job", (json_int_t)job->id, "clip", (json_int_t)clip, "number", (json_int_t)number),
        &reply));
    ipos_status status = open_reply(job->server, &reply, out);
    ip_message_clear(&reply);
    return status;
}

static ipos_status recall(ip_op_host *host, const char *key, void **bytes, size_t *size)
{
    ip_server_job *job = job_of(host);
    ip_borrowed_bytes borrowed = {0};
    ip_message reply;
    *bytes = NULL;
    *size = 0;
    IP_TRY(stopped(job));
    IP_TRY(ask(job, IP_RECALL, IP_RECALLED, json_pack("{s:I,s:o}", "job", (json_int_t)job->id, "key", ip_json_from_text(key)), &reply));
    ipos_status status = json_object_get(reply.body, "block") ? ip_bytes_borrow(reply.body, &job->server->lender, &borrowed) : IPOS_OK;
    ip_message_clear(&reply);
    if (status == IPOS_OK && borrowed.size) {
        *bytes = ip_alloc(borrowed.size);
        status = *bytes ? IPOS_OK : IPOS_ERR_NO_MEMORY;
        if (*bytes)
            memcpy(*bytes, borrowed.view, *size = borrowed.size);
    }
    ip_bytes_return(&borrowed, &job->server->lender);
    return status;
}

static ipos_status frame_like(ip_op_host *host, const ipos_frame *model, int32_t type, ipos_frame **out)
{
    return ip_frame_like(model, type, ip_pool_storage, job_of(host)->server->pool, out);
}

static ipos_status frame_new(ip_op_host *host, const ipos_box *window, const ipos_channel *channels, size_t count, ipos_frame **out)
{
    return ip_frame_new(window, NULL, channels, count, ip_pool_storage, job_of(host)->server->pool, out);
}

static ipos_status progress(ip_op_host *host, double done, const char *stage, const char *extra)
{
    ip_server_job *job = job_of(host);
    ip_server *server = job->server;
    IP_TRY(stopped(job));
    json_t *members = NULL;
    if (extra && *extra) {
        char *text = ip_format("{%s}", extra);
        members = text ? json_loads(text, 0, NULL) : NULL;
        ip_free(text);
    }
    json_decref(job->held_back);
    job->held_back = json_pack("{s:I,s:o,s:o,s:o,s:I}", "job", (json_int_t)job->id, "done", ip_json_from_real(done), "stage",
        ip_json_from_text(stage), "extra", members ? members : json_object(), "tick", (json_int_t)atomic_load(&server->tick));
    double now = ip_now();
    if (now - job->sent_at < progress_pause && strncmp(job->stage, stage ? stage : "", sizeof job->stage - 1) == 0)
        return IPOS_OK;
    job->sent_at = now;
    snprintf(job->stage, sizeof job->stage, "%s", stage ? stage : "");
    send_held_back(job);
    return stopped(job);
}

/* Hands a result over once the client has taken all but a few of those before it. Steals body. */
static ipos_status hand_over(ip_server_job *job, int type, json_t *body)
{
    ip_server *server = job->server;
    send_held_back(job);
    pthread_mutex_lock(&server->lock);
    while (server->in_hand >= IN_HAND && !server->closing)
        ip_server_wait(server, 1);
    ipos_status status = server->refused;
    if (status == IPOS_OK && !server->closing) {
        server->in_hand++;
        json_object_set_new(body, "request", json_integer(++server->request));
    }
    bool closing = server->closing;
    pthread_mutex_unlock(&server->lock);
    if (status == IPOS_OK && !closing)
        return ip_server_send(server, type, body);
    json_decref(body);
    return closing ? ip_fail(IPOS_ERR_CANCELLED, "the client has gone") : ip_fail(status, "an earlier result was refused");
}

static ipos_status emit(ip_op_host *host, const char *variant, ipos_rational time, double confidence, ipos_frame *picture, ipos_frame *evidence)
{
    ip_server_job *job = job_of(host);
    ip_server *server = job->server;
    json_t *shown = NULL, *map = NULL;
    IP_TRY(stopped(job));
    IP_TRY(ip_frame_lend(picture, server->pool, server->loans, &shown));
    if (evidence) {
        ipos_status status = ip_frame_lend(evidence, server->pool, server->loans, &map);
        if (status != IPOS_OK) {
            json_decref(shown);
            return status;
        }
    }
    return hand_over(job, IP_EMIT, json_pack("{s:I,s:o,s:o,s:o,s:o,s:o}", "job", (json_int_t)job->id, "variant", ip_json_from_text(variant),
        "time", ip_json_from_rational(time), "confidence", ip_json_from_real(confidence), "frame", shown, "evidence",
        map ? map : json_null()));
}

static ipos_status variant(ip_op_host *host, const char *name, const char *title, int rank, double score, const char *details)
{
    ip_server_job *job = job_of(host);
    IP_TRY(stopped(job));
    send_held_back(job);
    json_t *object = details ? json_loads(details, 0, NULL) : NULL;
    if (details && !json_is_object(object)) {
        json_decref(object);
        return ip_fail(IPOS_ERR_ARGUMENT, "variant %s: its details are not a JSON object", name);
    }
    return ip_server_send(job->server, IP_VARIANT, json_pack("{s:I,s:o,s:o,s:i,s:o,s:o}", "job", (json_int_t)job->id, "variant",
        ip_json_from_text(name), "title", ip_json_from_text(title), "rank", rank, "score", ip_json_from_real(score), "details",
        object ? object : json_object()));
}

static ipos_status save_checkpoint(ip_op_host *host, const void *bytes, size_t size)
{
    ip_server_job *job = job_of(host);
    json_t *block;
    atomic_fetch_add(&job->server->tick, 1); /* also when cancelled: it is what a later run goes on from */
    IP_TRY(ip_bytes_lend(bytes, size, job->server->pool, job->server->loans, &block));
    return hand_over(job, IP_CHECKPOINT, json_pack("{s:I,s:o}", "job", (json_int_t)job->id, "block", block));
}

static ipos_status save_model(ip_op_host *host, const void *bytes, size_t size, const char *measured)
{
    ip_server_job *job = job_of(host);
    json_t *block, *figures = measured ? json_loads(measured, 0, NULL) : json_object();
    if (!json_is_object(figures)) {
        json_decref(figures);
        return ip_fail(IPOS_ERR_ARGUMENT, "model: what was measured is not a JSON object");
    }
    ipos_status status = stopped(job);
    if (status == IPOS_OK)
        status = ip_bytes_lend(bytes, size, job->server->pool, job->server->loans, &block);
    if (status != IPOS_OK) {
        json_decref(figures);
        return status;
    }
    return hand_over(job, IP_MODEL, json_pack("{s:I,s:o,s:o}", "job", (json_int_t)job->id, "block", block, "measured", figures));
}

static ipos_status keep(ip_op_host *host, const char *key, const void *bytes, size_t size)
{
    ip_server_job *job = job_of(host);
    json_t *block;
    IP_TRY(stopped(job));
    IP_TRY(ip_bytes_lend(bytes, size, job->server->pool, job->server->loans, &block));
    return hand_over(job, IP_KEEP, json_pack("{s:I,s:o,s:o}", "job", (json_int_t)job->id, "key", ip_json_from_text(key), "block", block));
}

static ipos_status preview(ip_op_host *host, ipos_frame *picture)
{
    ip_server_job *job = job_of(host);
    json_t *shown;
    IP_TRY(stopped(job));
    IP_TRY(ip_frame_lend(picture, job->server->pool, job->server->loans, &shown));
    return hand_over(job, IP_PREVIEW, json_pack("{s:I,s:o}", "job", (json_int_t)job->id, "frame", shown));
}

void ip_server_host(ip_server_job *job)
{
    ip_op_host *host = &job->host;
    host->user = job;
    host->cancel = &job->server->cancel;
    host->fetch = fetch;
    host->frame_like = frame_like;
    host->frame_new = frame_new;
    host->progress = progress;
    host->emit = emit;
    host->variant = variant;
    host->save_checkpoint = save_checkpoint;
    host->save_model = save_model;
    host->preview = preview;
    host->recall = recall;
    host->keep = keep;
}

void ip_server_host_end(ip_server_job *job)
{
    ip_server *server = job->server;
    send_held_back(job);
    pthread_mutex_lock(&server->lock);
    while (server->in_hand > 0 && !server->closing)
        ip_server_wait(server, 1);
    pthread_mutex_unlock(&server->lock);
}
