/* The catalogue as the acts say it must be. */
#include "verify.h"

static json_t *record_without(const json_t *details, const char *key)
{
    json_t *record = json_copy((json_t *)details);

    json_object_del(record, key);
    return record;
}

static void replay_clip(ip_verify *verify, const json_t *details, bool complete)
{
    const char *name = json_string_value(json_object_get(details, "clip"));

    if (name)
        json_object_set_new(verify->clips, name, json_pack("{s:o, s:O?, s:b}", "record", record_without(details, "training"), "training",
            json_object_get(details, "training"), "complete", complete));
}

static void replay_training(ip_verify *verify, const json_t *details)
{
    const char *name = json_string_value(json_object_get(details, "clip"));
    json_t *clip = name ? json_object_get(verify->clips, name) : NULL;

    if (!clip || !json_equal(json_object_get(clip, "training"), json_object_get(details, "from")))
        ip_verify_problem(verify, "ledger: a change of training permission of \"%s\" does not follow from the acts before it",
            name ? name : "?");
    else
        json_object_set(clip, "training", json_object_get(details, "to"));
}

static void replay_options(ip_verify *verify, const json_t *details)
{
    json_t *option;
    size_t i;

    json_array_foreach(json_object_get(details, "options"), i, option) {
        const char *id = json_string_value(json_object_get(option, "option"));
        if (id)
            json_object_set_new(verify->options, id, json_pack("{s:O, s:s, s:n}", "record", option, "state", "open", "decision"));
    }
}

static void replay_decision(ip_verify *verify, const char *state, const char *by, const json_t *details)
{
    const char *id = json_string_value(json_object_get(details, "option"));
    json_t *option = id ? json_object_get(verify->options, id) : NULL;

    if (!option) {
        ip_verify_problem(verify, "ledger: a decision on option \"%s\", which no act made", id ? id : "?");
        return;
    }
    json_object_set_new(option, "state", json_string(state));
    json_object_set_new(option, "decision", json_pack("{s:s?, s:O?, s:O?}", "by", by, "note", json_object_get(details, "note"), "when",
        json_object_get(details, "when")));
}

static void replay_model(ip_verify *verify, const json_t *details)
{
    const char *name = json_string_value(json_object_get(details, "model"));
    char *key = ip_format("%s/%lld", name ? name : "?", (long long)json_integer_value(json_object_get(details, "version")));

    if (key)
        json_object_set(verify->models, key, (json_t *)details);
    ip_free(key);
}

void ip_verify_replay(ip_verify *verify, const char *act, const char *by, const json_t *details)
{
    if (strcmp(act, "create") == 0)
        verify->project = verify->project ? verify->project : json_incref((json_t *)details);
    else if (strcmp(act, "clip") == 0 || strcmp(act, "ingest") == 0)
        replay_clip(verify, details, strcmp(act, "ingest") == 0);
    else if (strcmp(act, "training") == 0)
        replay_training(verify, details);
    else if (strcmp(act, "options") == 0)
        replay_options(verify, details);
    else if (strcmp(act, "draft") == 0 && json_string_value(json_object_get(details, "option")))
        json_object_set_new(verify->options, json_string_value(json_object_get(details, "option")),
            json_pack("{s:O, s:s, s:n}", "record", details, "state", "draft", "decision"));
    else if (strcmp(act, "accept") == 0)
        replay_decision(verify, "accepted", by, details);
    else if (strcmp(act, "reject") == 0)
        replay_decision(verify, "rejected", by, details);
    else if (strcmp(act, "model") == 0)
        replay_model(verify, details);
}
