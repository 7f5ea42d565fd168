/* The card for people. */
#include "card.h"
#include <math.h>

static const char *text_of(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && *text ? text : fallback;
}

static void number(ip_buffer *out, const json_t *value, const char *unit)
{
    if (json_is_number(value))
        ip_buffer_printf(out, "%.2f%s", json_number_value(value), unit);
    else
        ip_buffer_printf(out, "not measured");
}

static void score(ip_buffer *out, const json_t *score)
{
    const json_t *clips = json_object_get(score, "per_clip"), *clip;
    double gain = json_number_value(json_object_get(score, "gain"));
    size_t i;

    ip_buffer_printf(out, "How good it is, on shots it never saw\n  this model:           ");
    number(out, json_object_get(score, "held_out"), " dB");
    ip_buffer_printf(out, "\n  the classical method: ");
    number(out, json_object_get(score, "baseline"), " dB");
    ip_buffer_printf(out, "\n  gain:                 ");
    number(out, json_object_get(score, "gain"), " dB");
    if (json_is_number(json_object_get(score, "gain")))
        ip_buffer_printf(out, gain >= 0.005 ? "\n" : "  (no better: where it does not help, the classical method is used)\n");
    else
        ip_buffer_printf(out, "\n");
    json_array_foreach(clips, i, clip) {
        ip_buffer_printf(out, "    %-24s model ", text_of(clip, "clip", "?"));
        number(out, json_object_get(clip, "model"), " dB");
        ip_buffer_printf(out, ", classical ");
        number(out, json_object_get(clip, "baseline"), " dB\n");
    }
}

static void inputs(ip_buffer *out, const json_t *inputs)
{
    const json_t *input;
    size_t i;

    ip_buffer_printf(out, "\nWhat it learned from: nothing but these clips\n");
    json_array_foreach(inputs, i, input) {
        const json_t *frames = json_object_get(input, "frames");
        size_t n = json_array_size(frames);
        ip_buffer_printf(out, "  %s\n    owner: %s\n    licence: %s\n    training: %s (source of the permission: %s)\n",
            text_of(input, "clip", "?"),
            text_of(input, "owner", "not stated"), text_of(input, "licence", "not stated"), text_of(input, "training", "unknown"),
            text_of(input, "permission_source", "not stated"));
        ip_buffer_printf(out, "    frames: %zu", n);
        if (n)
            ip_buffer_printf(out, ", %lld to %lld, each with its SHA-256 in the card",
                (long long)json_integer_value(json_object_get(json_array_get(frames, 0), "number")),
                (long long)json_integer_value(json_object_get(json_array_get(frames, n - 1), "number")));
        ip_buffer_printf(out, "\n");
    }
    ip_buffer_printf(out, "  Base weights: none. No picture, weight or statistic came from anywhere else.\n");
}

static void members(ip_buffer *out, const char *title, const json_t *object)
{
    const char *key;
    json_t *value;

    if (json_object_size(object) == 0)
        return;
    ip_buffer_printf(out, "\n%s\n", title);
    /* jansson's foreach takes a non-const object; it does not change it. */
    json_object_foreach((json_t *)object, key, value) {
        char *text = json_is_string(value) ? NULL : json_is_real(value) ? ip_format("%.6g", json_real_value(value)) : ip_doc_text(value);
        ip_buffer_printf(out, "  %s: %s\n", key, json_is_string(value) ? json_string_value(value) : text ? text : "?");
        ip_free(text);
    }
}

static void held_out(ip_buffer *out, const json_t *list)
{
    const json_t *range;
    size_t i;

    json_array_foreach(list, i, range)
        ip_buffer_printf(out, "%s%s %lld-%lld", i ? ", " : "  Held out for the score: ", text_of(range, "clip", "?"),
            (long long)json_integer_value(json_object_get(range, "first")),
            (long long)json_integer_value(json_object_get(range, "last")));
    if (i)
        ip_buffer_printf(out, "\n");
}

char *ip_card_text(const char *card_json)
{
    json_t *card;
    ip_buffer out = {0};
    char *text;

    if (ip_doc_parse(card_json ? card_json : "", "model card", &card) != IPOS_OK)
        return NULL;
    ip_buffer_printf(&out, "Model card: %s\n\n", text_of(card, "name", "?"));
    ip_buffer_printf(&out, "  for:          %s\n  architecture: %s\n  project:      %s (%s)\n", text_of(card, "operation", "?"),
        text_of(card, "architecture", "not stated"), text_of(card, "project_title", "untitled"), text_of(card, "project", "?"));
    ip_buffer_printf(&out, "  trained:      %s to %s\n  started by:   %s\n\n", text_of(card, "started", "?"),
        text_of(card, "finished", "?"),
        text_of(card, "operator", "not stated"));
    score(&out, json_object_get(card, "score"));
    inputs(&out, json_object_get(card, "inputs"));
    held_out(&out, json_object_get(card, "held_out"));
    members(&out, "Settings", json_object_get(card, "settings"));
    members(&out, "Versions", json_object_get(card, "versions"));
    json_decref(card);
    ip_buffer_add(&out, "", 1);
    text = ip_buffer_take(&out);
    if (!text)
        ip_buffer_free(&out);
    return text;
}
