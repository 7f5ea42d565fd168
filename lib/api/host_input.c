/* Frames from the host: checked, hashed for the record, their attributes kept for the results. */
#include "api_operation.h"
#include "color.h"
#include <stdlib.h>

static const int64_t MOST_NUMBER = INT64_C(1) << 40, MOST_FRAMES = 10000000; /* a list of them is made in the engine */

/* There, and fit for the ledger, which is JSON. */
static ipos_status check_ledger_text(const char *text, const char *what)
{
    IP_TRY(ip_check_text(text, what));
    json_t *value = json_string(text);
    json_decref(value);
    return value ? IPOS_OK : ip_fail(IPOS_ERR_ARGUMENT, "%s: not valid UTF-8", what);
}

static ipos_status check_clip(const ipos_host_clip *clip)
{
    IP_TRY(check_ledger_text(clip->name, "name of the host's clip"));
    IP_TRY(check_ledger_text(clip->encoding, "encoding of the host's clip"));
    IP_TRY(check_ledger_text(clip->owner, "owner of the host's clip"));
    IP_TRY(check_ledger_text(clip->licence, "licence of the host's clip"));
    if (clip->training != IPOS_TRAINING_ALLOWED && clip->training != IPOS_TRAINING_DENIED)
        return ip_fail(IPOS_ERR_ARGUMENT, "host clip '%s': training must be stated: IPOS_TRAINING_ALLOWED or IPOS_TRAINING_DENIED", clip->name);
    if (clip->first > clip->last)
        return ip_fail(IPOS_ERR_ARGUMENT, "host clip '%s': first frame %lld comes after last %lld", clip->name, (long long)clip->first,
            (long long)clip->last);
    if (clip->first < -MOST_NUMBER || clip->last > MOST_NUMBER || clip->last - clip->first >= MOST_FRAMES)
        return ip_fail(IPOS_ERR_ARGUMENT, "host clip '%s': frames %lld to %lld: at most %lld, numbered up to +-%lld: state what exists", clip->name,
            (long long)clip->first, (long long)clip->last, (long long)MOST_FRAMES, (long long)MOST_NUMBER);
    if (!ip_encoding_find(clip->encoding))
        return ip_fail(IPOS_ERR_ARGUMENT, "host clip '%s': encoding '%s' is not one of %s", clip->name, clip->encoding, ip_encoding_names());
    if (clip->rate.num < 0 || clip->rate.den < 0 || (clip->rate.num != 0 && clip->rate.den == 0))
        return ip_fail(IPOS_ERR_ARGUMENT, "host clip '%s': frame rate %lld/%lld", clip->name, (long long)clip->rate.num,
            (long long)clip->rate.den);
    return IPOS_OK;
}

ipos_status ip_host_set(ip_host_input *input, const ipos_host_clip *clip, ipos_fetch_fn fetch, void *user)
{
    ipos_host_clip taken;

    IP_TRY(ip_take_config(&taken, sizeof taken, clip, sizeof taken, "ipos_host_clip"));
    IP_TRY(check_clip(&taken));
    taken.name = ip_strdup(taken.name);
    taken.encoding = ip_strdup(taken.encoding);
    taken.owner = ip_strdup(taken.owner);
    taken.licence = ip_strdup(taken.licence);
    *input = (ip_host_input){.clip = taken, .fetch = fetch, .user = user};
    if (taken.name && taken.encoding && taken.owner && taken.licence)
        return IPOS_OK;
    ip_host_clear(input);
    return IPOS_ERR_NO_MEMORY;
}

void ip_host_clear(ip_host_input *input)
{
    ip_free((char *)input->clip.name);
    ip_free((char *)input->clip.encoding);
    ip_free((char *)input->clip.owner);
    ip_free((char *)input->clip.licence);
    ip_free(input->holes);
    *input = (ip_host_input){0};
}

static ip_source *find_source(const ipos_operation *operation, size_t clip, int64_t number)
{
    for (size_t i = 0; i < operation->source_count; i++)
        if (operation->sources[i].clip == clip && operation->sources[i].number == number)
            return &operation->sources[i];
    return NULL;
}

static ipos_status attributes_of(const ipos_frame *frame, ipos_frame **out)
{
    const ipos_box one = {0, 0, 1, 1};
    const ipos_channel channel = {"Y", IPOS_U8, 1, 1};

    IP_TRY(ip_frame_new(&one, NULL, &channel, 1, NULL, NULL, out));
    ipos_status status = ip_frame_copy_attributes(*out, frame);
    if (status != IPOS_OK) {
        ipos_frame_release(*out);
        *out = NULL;
    }
    return status;
}

static ipos_status describe_source(const ipos_operation *operation, const ip_op_clip *view, ipos_frame *frame, ip_source *source)
{
    if (!ip_frame_hash(frame, source->hash))
        return ip_no_memory(0);
    if (source->clip > 0) {
        source->name = ip_strdup(view->name);
        return source->name ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    }
    IP_TRY(attributes_of(frame, &source->attributes));
    if (operation->spec->edits && ip_times_has(&operation->times, source->number)) {
        ipos_frame_retain(frame);
        source->frame = frame;
    }
    return IPOS_OK;
}

static ipos_status note_source(ipos_operation *operation, size_t clip, const ip_op_clip *view, int64_t number, ipos_frame *frame)
{
    ip_source source = {.clip = clip, .number = number};

    if (find_source(operation, clip, number))
        return IPOS_OK;
    ip_source *grown = ip_realloc(operation->sources, (operation->source_count + 1) * sizeof *grown);
    if (!grown)
        return IPOS_ERR_NO_MEMORY;
    operation->sources = grown;
    IP_TRY(describe_source(operation, view, frame, &source));
    grown[operation->source_count++] = source;
    return IPOS_OK;
}

static ipos_status note_hole(ip_host_input *input, int64_t number)
{
    size_t at = input->hole_count;

    for (size_t i = 0; i < input->hole_count; i++)
        if (input->holes[i] == number)
            return IPOS_OK;
    int64_t *grown = ip_realloc(input->holes, (input->hole_count + 1) * sizeof *grown);
    if (!grown)
        return IPOS_ERR_NO_MEMORY;
    input->holes = grown;
    for (; at > 0 && grown[at - 1] > number; at--)
        grown[at] = grown[at - 1];
    grown[at] = number;
    input->hole_count++;
    return IPOS_OK;
}

ipos_status ip_host_fetch(ipos_operation *operation, size_t index, const ip_op_clip *view, int64_t number, ipos_frame **out)
{
    ip_host_input *input = &operation->host;

    if (number < view->first || number > view->last)
        return ip_fail(IPOS_ERR_NOT_FOUND, "host clip '%s' has frames %lld to %lld, not %lld", view->name, (long long)view->first,
            (long long)view->last, (long long)number);
    ipos_status status = input->fetch(input->user, view->name, number, "R,G,B", out);
    if (status != IPOS_OK) {
        *out = NULL;
        if (status == IPOS_ERR_NOT_FOUND && index == 0)
            IP_TRY(note_hole(input, number));
        const ipos_status known = strcmp(ipos_status_name(status), "unknown status") == 0 ? IPOS_ERR_UNKNOWN : status;
        return ip_fail(known, "frame %lld of host clip '%s': the host's fetch callback returned %d (%s)", (long long)number,
            view->name, status, ipos_status_name(status));
    }
    if (!*out)
        return ip_fail(IPOS_ERR_ARGUMENT, "frame %lld of host clip '%s': the host's fetch callback returned IPOS_OK without a frame",
            (long long)number, view->name);
    status = note_source(operation, index, view, number, *out);
    if (status != IPOS_OK) {
        ipos_frame_release(*out);
        *out = NULL;
    }
    return status;
}

static const ip_source *nearest(const ipos_operation *operation, ipos_rational time)
{
    const double at = (double)time.num / (double)time.den;
    const ip_source *best = NULL;

    for (size_t i = 0; i < operation->source_count; i++) {
        const ip_source *source = &operation->sources[i];
        const double far = (double)source->number - at, away = far < 0 ? -far : far;
        const double held = best ? (double)best->number - at : 0, best_away = held < 0 ? -held : held;
        if (source->clip > 0)
            continue;
        if (!best || away < best_away || (away == best_away && source->number < best->number))
            best = source;
    }
    return best;
}

/* A timecode names the frame it was shot with: a whole frame's is counted on from the source's, one in between has none. */
static ipos_status dress_timecode(const ipos_host_clip *clip, const ip_source *source, ipos_rational time, ipos_frame *picture)
{
    ipos_timecode timecode;
    ipos_rational rate = clip->rate;

    if (ipos_frame_find_attribute(picture, "timeCode") < 0)
        return IPOS_OK;
    if (rate.num == 0 && ipos_frame_rate(picture, &rate) != IPOS_OK)
        rate = (ipos_rational){0, 0};
    if (time.den != 1 || rate.num == 0 || ipos_frame_timecode(picture, &timecode) != IPOS_OK)
        return ipos_frame_set_attribute(picture, "timeCode", "timecode", NULL, 0);
    timecode = ip_timecode_after(&timecode, time.num - source->number, rate);
    return ipos_frame_set_timecode(picture, &timecode);
}

static ipos_status dress_changed(const ipos_operation *operation, ipos_rational time, ipos_frame *picture, const ipos_frame *evidence)
{
    const ip_source *source = time.den == 1 ? find_source(operation, 0, time.num) : NULL;

    if (!source || !source->frame)
        return ip_fail(IPOS_ERR_ENGINE, "frame %lld/%lld: the operation changed it without reading it", (long long)time.num, (long long)time.den);
    IP_TRY(ip_edit_check(time.num, source->frame, picture, evidence));
    return ip_frame_copy_attributes(picture, source->attributes);
}

static ipos_status dress_made(const ipos_operation *operation, ipos_rational time, ipos_frame *picture)
{
    const ip_source *source = nearest(operation, time);

    if (!source)
        return IPOS_OK;
    IP_TRY(ip_frame_copy_attributes(picture, source->attributes));
    return dress_timecode(&operation->host.clip, source, time, picture);
}

ipos_status ip_host_dress(ipos_operation *operation, ipos_rational time, ipos_frame *picture, const ipos_frame *evidence)
{
    IP_TRY(operation->spec->edits ? dress_changed(operation, time, picture, evidence) : dress_made(operation, time, picture));
    return *ipos_frame_encoding(picture) ? IPOS_OK : ipos_frame_set_encoding(picture, operation->host.clip.encoding);
}

void ip_host_settle(ipos_operation *operation)
{
    for (size_t i = 0; i < operation->source_count; i++) {
        ipos_frame_release(operation->sources[i].frame);
        operation->sources[i].frame = NULL;
    }
}
