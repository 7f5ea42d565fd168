/* A request: clips and settings, then every shot measured, then every variant made. */
#include "continuity_op.h"

static const ic_mode *const modes[] = {&ic_match, &ic_deflicker, &ic_report, &ic_patch, &ic_retexture};

ipos_status ic_step(ic_run *run, double done, const char *stage) {
    return ip_teller_say(&run->teller, run->begin + run->share * done, "%s", stage);
}

ipos_status ic_say(ic_part *part, const char *name, json_t *value) {
    return json_object_set_new(part->note, name, value) == 0 ? IPOS_OK : ip_no_memory(1024);
}

/* "1012", "1001-1060", "-5--2"; empty: all of the clip. */
static ipos_status reference_range(const char *text, const ip_op_clip *clip, int64_t *first, int64_t *last) {
    long long a, b;
    int used = 0, more = 0;
    *first = clip->first;
    *last = clip->last;
    if (!*text)
        return IPOS_OK;
    if (sscanf(text, "%lld%n", &a, &used) != 1)
        used = 0;
    b = a = used ? a : 0;
    bool fine = used && (!text[used] || (sscanf(text + used, "-%lld%n", &b, &more) == 1 && !text[used + more]));
    if (!fine || b < a)
        return ip_fail(IPOS_ERR_ARGUMENT, "reference_frames: \"%s\", expected a frame such as 1012 or first-last such as 1001-1060", text);
    if (a > clip->last || b < clip->first)
        return ip_fail(IPOS_ERR_ARGUMENT, "reference_frames: clip %s has frames %lld-%lld, none of %s", clip->name, (long long)clip->first,
            (long long)clip->last, text);
    *first = a;
    *last = b;
    return IPOS_OK;
}

static ipos_status open_reference(ic_run *run, size_t clip) {
    ip_op_host *host = run->host;
    const char *text = ip_options_text(host->options, "reference_frames");
    int64_t first, last;
    if (!clip && !*text)
        return IPOS_OK;
    IP_TRY(reference_range(text, &host->clips[clip], &first, &last));
    return ip_shot_use(host, clip, first, last, "reference", &run->reference);
}

ipos_status ic_beside(const ic_run *run, int64_t number, size_t *index) {
    const ip_shot *other = &run->reference;
    const int64_t wanted = other->count == 1 ? other->numbers[0] : other->numbers[0] + number - run->host->times[0].num;
    *index = ip_shot_index(other, wanted);
    return *index < other->count ? IPOS_OK : ip_fail(IPOS_ERR_NOT_FOUND, "%s: beside frame %lld belongs frame %lld of %s, which is not among its frames %lld-%lld: set reference_frames",
        run->mode->name, (long long)number, (long long)wanted, other->clip.clip->name, (long long)other->numbers[0],
        (long long)other->numbers[other->count - 1]);
}

static ipos_status open_clips(ic_run *run) {
    ip_op_host *host = run->host;
    size_t reference = 0;
    for (size_t i = 1; i < host->clip_count; i++) {
        const char *role = host->clips[i].role;
        if (!strcmp(role, "graded")) {
            run->graded = true;
            continue;
        }
        ip_clip *mask = !strcmp(role, "matte") ? &run->matte : !strcmp(role, "holdout") ? &run->holdout : NULL;
        if (mask ? mask->host != NULL : reference != 0)
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: one clip is expected, not several", role);
        if (mask)
            IP_TRY(ip_clip_open(mask, host, i, 2));
        else
            reference = i;
    }
    return open_reference(run, reference);
}

static ipos_status open_parts(ic_run *run) {
    ip_op_host *host = run->host;
    run->parts = ip_calloc(host->time_count, sizeof *run->parts);
    if (!run->parts)
        return IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < host->time_count;) {
        ic_part *part = &run->parts[run->part_count++];
        *part = (ic_part){.times = &host->times[i], .note = json_object()};
        part->count = ip_op_shot_times(host, i, &part->first, &part->last);
        i += part->count;
        IP_TRY(ic_say(part, "first", json_integer(part->first)));
        IP_TRY(ic_say(part, "last", json_integer(part->last)));
        IP_TRY(ip_shot_use(host, 0, part->first, part->last, "clip", &part->shot));
        ip_clip_forget(&part->shot.clip);
    }
    return IPOS_OK;
}

static ipos_status prepare_all(ic_run *run) {
    for (size_t i = 0; i < run->part_count; i++) {
        run->begin = .5 * (double)i / (double)run->part_count;
        run->share = .5 / (double)run->part_count;
        IP_TRY(run->mode->prepare(run, &run->parts[i]));
        ip_clip_forget(&run->parts[i].shot.clip);
    }
    return IPOS_OK;
}

static ipos_status emit_all(ic_run *run) {
    int made = 0, offered = 0;
    for (int v = 0; v < IC_VARIANTS; v++)
        offered += run->offered[v];
    for (int v = 0; v < IC_VARIANTS; v++)
        for (size_t i = 0; run->offered[v] && i < run->part_count; i++) {
            run->share = .5 / (double)(run->part_count * (size_t)offered);
            run->begin = .5 + run->share * made++;
            IP_TRY(run->mode->emit(run, &run->parts[i], v));
            ip_clip_forget(&run->parts[i].shot.clip);
        }
    return IPOS_OK;
}

static ipos_status details_of(ic_run *run, char **text) {
    json_t *shots = json_array();
    for (size_t i = 0; i < run->part_count; i++)
        json_array_append(shots, run->parts[i].note);
    json_t *all = json_pack("{s:s, s:o*}", "mode", run->mode->name, "shots", shots);
    *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    return *text ? IPOS_OK : ip_no_memory(4096);
}

static ipos_status offer(ic_run *run) {
    char *text;
    int rank = 0;
    IP_TRY(details_of(run, &text));
    ipos_status status = IPOS_OK;
    for (int v = 0; v < IC_VARIANTS && status == IPOS_OK; v++)
        if (run->offered[v])
            status = run->host->variant(run->host, run->mode->variants[v].name, run->mode->variants[v].title, rank++, -1, text);
    free(text);
    return status;
}

static ipos_status run_all(ic_run *run) {
    const char *mode = ip_options_text(run->host->options, "mode");
    for (size_t i = 0; i < IP_COUNT(modes); i++)
        if (!strcmp(modes[i]->name, mode))
            run->mode = modes[i];
    IP_TRY(ic_step(run, 0, "opening"));
    IP_TRY(open_clips(run));
    IP_TRY(open_parts(run));
    IP_TRY(prepare_all(run));
    IP_TRY(emit_all(run));
    return offer(run);
}

static ipos_status continuity_run(ip_op_host *host) {
    ic_run run = {.host = host};
    ip_teller_open(&run.teller, host);
    if (!host->clip_count || !host->time_count)
        return ip_fail(IPOS_ERR_ARGUMENT, "continuity: needs a clip and the frames to work on");
    ipos_status status = run_all(&run);
    for (size_t i = 0; i < run.part_count; i++) {
        if (run.parts[i].plan)
            run.mode->finish(&run.parts[i]);
        ip_shot_close(&run.parts[i].shot);
        json_decref(run.parts[i].note);
    }
    ip_free(run.parts);
    ic_known_free(run.known);
    ic_learned_free(run.learned);
    ip_shot_close(&run.reference);
    ip_clip_close(&run.matte);
    ip_clip_close(&run.holdout);
    ip_image3_free(&run.before);
    ip_image3_free(&run.after);
    ip_plane_free(&run.keep);
    return status;
}

extern const ip_op_spec ip_op_continuity_spec;
extern const ip_op ip_op_continuity;
const ip_op ip_op_continuity = {
    .spec = &ip_op_continuity_spec,
    .run = continuity_run,
};
