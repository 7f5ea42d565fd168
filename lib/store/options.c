/* Options in the making: pictures with the metadata of the source frame nearest to them, evidence maps, all in a work folder. */
#include "catalogue.h"
#include <stdlib.h>
#include <sys/stat.h>

bool ip_option_id(const char *text, int64_t *id)
{
    return text && text[0] == 'o' && text[1] >= '1' && text[1] <= '9' && ip_parse_int(text + 1, id);
}

char *ip_option_path(ip_store *store, int64_t id, const char *file)
{
    return file ? ip_format("%s/options/o%lld/%s", store->folder, (long long)id, file)
                : ip_format("%s/options/o%lld", store->folder, (long long)id);
}

void ip_writer_note(ip_option_writer *writer, const char *clip, int64_t number)
{
    size_t at;

    if (!writer || strcmp(writer->clip.name, clip) != 0)
        return;
    for (at = writer->source_count; at > 0 && writer->sources[at - 1] >= number; at--)
        if (writer->sources[at - 1] == number)
            return;
    if (writer->source_count == writer->source_room) {
        size_t room = writer->source_room ? 2 * writer->source_room : 64;
        int64_t *grown = ip_realloc(writer->sources, room * sizeof *grown);
        if (!grown)
            return;
        writer->sources = grown;
        writer->source_room = room;
    }
    memmove(writer->sources + at + 1, writer->sources + at, (writer->source_count - at) * sizeof *writer->sources);
    writer->sources[at] = number;
    writer->source_count++;
}

static bool copy_text(char **to, const char *from)
{
    *to = from ? ip_strdup(from) : NULL;
    return *to || !from;
}

ipos_status ip_store_options_begin(ip_store *store, const char *operation, const char *clip, const char *frames,
    const char *parameters_json, const char *model_name, const char *model_hash, ip_option_writer **out)
{
    ip_option_writer *writer;
    json_t *parameters;
    ipos_status status;

    *out = NULL;
    if (store->writer)
        return ip_fail(IPOS_ERR_STATE, "options: another request is still being made through this project handle");
    if (!operation || !ip_name_ok(operation))
        return ip_fail(IPOS_ERR_ARGUMENT, "options: the operation's name is required");
    IP_TRY(ip_doc_parse(parameters_json && *parameters_json ? parameters_json : "{}", "parameters", &parameters));
    writer = ip_calloc(1, sizeof *writer);
    if (!writer) {
        json_decref(parameters);
        return ip_no_memory(sizeof *writer);
    }
    writer->store = store;
    writer->scratch.fd = -1;
    status = ip_doc_give(parameters, &writer->parameters);
    if (status == IPOS_OK && !(copy_text(&writer->operation, operation) && copy_text(&writer->frames, frames ? frames : "") &&
                               copy_text(&writer->model, model_name) && copy_text(&writer->model_hash, model_hash)))
        status = ip_no_memory(256);
    if (status == IPOS_OK)
        status = ip_store_check_permission(store, clip, operation, false);
    if (status == IPOS_OK)
        status = ip_clip_load(store, clip, &writer->clip);
    if (status == IPOS_OK)
        status = ip_scratch_open(store, &writer->scratch);
    if (status != IPOS_OK) {
        ip_option_writer_free(writer);
        return status;
    }
    store->writer = *out = writer;
    return IPOS_OK;
}

void ip_option_writer_free(ip_option_writer *writer)
{
    if (!writer)
        return;
    if (writer->store->writer == writer)
        writer->store->writer = NULL;
    for (size_t i = 0; i < writer->count; i++) {
        ip_option_variant *v = &writer->variants[i];
        for (size_t k = 0; k < v->count; k++) {
            ip_free(v->pictures[k].picture);
            ip_free(v->pictures[k].evidence);
        }
        ip_free(v->pictures);
        ip_free(v->variant);
        ip_free(v->title);
        ip_free(v->details);
        ip_free(v->folder);
    }
    ip_free(writer->variants);
    ip_scratch_close(&writer->scratch);
    ip_clip_row_free(&writer->clip);
    ip_free(writer->operation);
    ip_free(writer->frames);
    ip_free(writer->parameters);
    ip_free(writer->model);
    ip_free(writer->model_hash);
    ip_free(writer->sources);
    ipos_frame_release(writer->attributes);
    ip_free(writer);
}

void ip_option_abandon(ip_option_writer *writer)
{
    ip_option_writer_free(writer);
}

static ip_option_variant *variant_of(ip_option_writer *writer, const char *name)
{
    for (size_t i = 0; i < writer->count; i++)
        if (strcmp(writer->variants[i].variant, name) == 0)
            return &writer->variants[i];
    ip_option_variant *grown = ip_realloc(writer->variants, (writer->count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    writer->variants = grown;
    ip_option_variant *variant = memset(&grown[writer->count], 0, sizeof *variant);
    variant->variant = ip_strdup(name);
    variant->folder = ip_format("%s/%zu", writer->scratch.folder, writer->count);
    writer->count++;
    if (!variant->variant || !variant->folder)
        return NULL;
    if (mkdir(variant->folder, 0777) != 0) {
        ip_fail(IPOS_ERR_IO, "%s: cannot be made", variant->folder);
        return NULL;
    }
    return variant;
}

/* Attributes of frame number, if it may be used: it exists, was not itself asked to be made, and can be read. */
static bool take_source(ip_option_writer *writer, int64_t number, int *tries)
{
    ipos_frame *frame;

    if (number < writer->clip.first || number > writer->clip.last || ip_frames_ask(writer->frames, number))
        return false;
    if (writer->attributes && writer->nearest == number)
        return true;
    (*tries)++;
    if (ip_store_source_frame(writer->store, writer->clip.name, number, &frame) != IPOS_OK)
        return false;
    ipos_frame_release(writer->attributes);
    writer->attributes = frame;
    writer->nearest = number;
    return true;
}

/* From the nearest frame outwards; of two as near the earlier one. */
static void nearest_source(ip_option_writer *writer, ipos_rational time)
{
    int64_t below = time.num / time.den - (time.num % time.den < 0), above = below + 1;
    int tries = 0;

    while (tries < 16 && (below >= writer->clip.first || above <= writer->clip.last)) {
        bool lower = time.num - below * time.den <= above * time.den - time.num;
        if (take_source(writer, lower ? below-- : above++, &tries))
            return;
    }
    ipos_frame_release(writer->attributes);
    writer->attributes = NULL;
}

/* A view of picture's samples with the source's metadata; the caller's frame stays as it is. */
static ipos_status dress(ip_option_writer *writer, ipos_rational time, const ipos_frame *picture, ipos_frame **out)
{
    size_t n = picture->channel_count;
    ipos_channel *channels = ip_calloc(n, sizeof *channels);
    ipos_plane *planes = ip_calloc(n, sizeof *planes);
    ipos_timecode timecode;
    ipos_status status = channels && planes ? IPOS_OK : ip_no_memory(n * 64);

    *out = NULL;
    nearest_source(writer, time);
    for (size_t i = 0; status == IPOS_OK && i < n; i++) {
        const ip_channel *c = &picture->channels[i];
        channels[i] = (ipos_channel){c->name, c->type, c->xs, c->ys};
        planes[i] = (ipos_plane){c->data, c->row_stride, c->pixel_stride};
    }
    if (status == IPOS_OK)
        status = ip_frame_over(&picture->data_window, &picture->display_window, channels, planes, n, NULL, NULL, out);
    if (status == IPOS_OK)
        status = ip_frame_copy_attributes(*out, writer->attributes ? writer->attributes : picture);
    if (status == IPOS_OK && time.num % time.den == 0 && writer->attributes && ipos_frame_timecode(*out, &timecode) == IPOS_OK) {
        timecode = ip_timecode_after(&timecode, time.num / time.den - writer->nearest, writer->clip.rate);
        status = ipos_frame_set_timecode(*out, &timecode);
    }
    if (status == IPOS_OK)
        status = ipos_frame_set_encoding(*out, writer->clip.encoding);
    ip_free(channels);
    ip_free(planes);
    if (status != IPOS_OK) {
        ipos_frame_release(*out);
        *out = NULL;
    }
    return status;
}

/* Writes a frame durably and gives its bytes' hash. */
static ipos_status write_hashed(ipos_frame *frame, const char *format, const char *folder, const char *file, char hash[65])
{
    ipos_write_config config = {sizeof config, .format = format};
    char *path = ip_path_join(folder, file);
    void *bytes = NULL;
    size_t size = 0;
    ipos_status status = path ? ip_image_write(&frame, 1, &config, NULL, &bytes, &size) : ip_no_memory(256);

    if (status == IPOS_OK && !ip_sha256_of(bytes, size, hash))
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", path);
    if (status == IPOS_OK)
        status = ip_file_write(path, bytes, size);
    ip_free(bytes);
    ip_free(path);
    return status;
}

/* Half channels "confidence" and "evidence" whatever types the operation used. */
static ipos_status half_evidence(const ipos_frame *evidence, ipos_frame **out)
{
    static const char *const names[] = {"confidence", "evidence"};
    ipos_channel channels[2] = {{names[0], IPOS_F16, 1, 1}, {names[1], IPOS_F16, 1, 1}};
    ipos_status status = ip_frame_new(&evidence->data_window, &evidence->display_window, channels, 2, NULL, NULL, out);

    for (size_t i = 0; status == IPOS_OK && i < 2; i++) {
        int64_t at = ipos_frame_find_channel(evidence, names[i]), to = ipos_frame_find_channel(*out, names[i]);
        if (at < 0 || to < 0) {
            status = ip_fail(IPOS_ERR_ARGUMENT, "evidence map: channel \"%s\" is missing", names[i]);
            break;
        }
        const ip_channel *from = &evidence->channels[at];
        size_t n = (size_t)from->width * (size_t)from->height;
        float *values = ip_alloc(IP_MAX(n, 1) * sizeof *values);
        status = values ? ip_channel_to_float(from, values) : ip_no_memory(n * sizeof *values);
        /* Classes 0..3 are numbers, not fractions of the integer's range. */
        if (status == IPOS_OK && i == 1 && (from->type == IPOS_U8 || from->type == IPOS_U16))
            for (size_t k = 0; k < n; k++)
                values[k] *= from->type == IPOS_U8 ? 255.0f : 65535.0f;
        if (status == IPOS_OK)
            ip_channel_from_float(&(*out)->channels[to], values);
        ip_free(values);
    }
    if (status == IPOS_OK)
        status = ipos_frame_set_encoding(*out, "data");
    if (status != IPOS_OK) {
        ipos_frame_release(*out);
        *out = NULL;
    }
    return status;
}

static ipos_status write_evidence(ip_option_variant *variant, ip_option_picture *picture, const char *label,
    const ipos_frame *evidence)
{
    ipos_frame *half;

    picture->evidence = ip_format("evidence.%s.exr", label);
    if (!picture->evidence)
        return ip_no_memory(64);
    IP_TRY(half_evidence(evidence, &half));
    ipos_status status = write_hashed(half, "exr", variant->folder, picture->evidence, picture->evidence_hash);
    ipos_frame_release(half);
    return status;
}

ipos_status ip_option_add_frame(ip_option_writer *writer, const char *variant_name, ipos_rational time, double confidence,
    ipos_frame *picture, ipos_frame *evidence)
{
    ip_option_variant *variant;
    ip_option_picture made = {.time = time, .confidence = confidence};
    ipos_frame *dressed;
    char label[64];

    if (!variant_name || !ip_name_ok(variant_name) || time.den <= 0 || !picture)
        return ip_fail(IPOS_ERR_ARGUMENT, "options: a picture needs a variant's name and a time");
    if (!(confidence >= 0 && confidence <= 1))
        return ip_fail(IPOS_ERR_ARGUMENT, "options: confidence %g, expected 0 to 1", confidence);
    made.time = ip_reduce(time);
    if (!(variant = variant_of(writer, variant_name)))
        return *ipos_last_error() ? IPOS_ERR_IO : IPOS_ERR_NO_MEMORY;
    for (size_t i = 0; i < variant->count; i++)
        if (variant->pictures[i].time.num == made.time.num && variant->pictures[i].time.den == made.time.den)
            return ip_fail(IPOS_ERR_ARGUMENT, "options: variant \"%s\" has a picture for that time already", variant_name);
    if (variant->count == variant->room) {
        size_t room = variant->room ? 2 * variant->room : 16;
        ip_option_picture *grown = ip_realloc(variant->pictures, room * sizeof *grown);
        if (!grown)
            return ip_no_memory(room * sizeof *grown);
        variant->pictures = grown;
        variant->room = room;
    }
    ip_time_label(made.time, 4, label);
    IP_TRY(dress(writer, made.time, picture, &dressed));
    const char *format = ip_format_for(dressed, writer->clip.format);
    made.picture = ip_format("picture.%s.%s", label, strcmp(format, "tiff") == 0 ? "tif" : format);
    ipos_status status = made.picture ? write_hashed(dressed, format, variant->folder, made.picture,
        made.picture_hash) : ip_no_memory(64);
    ipos_frame_release(dressed);
    if (status == IPOS_OK && evidence)
        status = write_evidence(variant, &made, label, evidence);
    if (status != IPOS_OK) {
        ip_free(made.picture);
        ip_free(made.evidence);
        return status;
    }
    /* In time order, whatever order they come in. */
    size_t at = variant->count;
    while (at > 0 && (double)variant->pictures[at - 1].time.num / (double)variant->pictures[at - 1].time.den >
                         (double)made.time.num / (double)made.time.den)
        at--;
    memmove(variant->pictures + at + 1, variant->pictures + at, (variant->count - at) * sizeof made);
    variant->pictures[at] = made;
    variant->count++;
    return IPOS_OK;
}

ipos_status ip_option_add(ip_option_writer *writer, const char *variant_name, const char *title, int rank, double score,
    const char *details_json)
{
    ip_option_variant *variant;
    json_t *details;

    if (!variant_name || !ip_name_ok(variant_name))
        return ip_fail(IPOS_ERR_ARGUMENT, "options: a variant needs a name");
    IP_TRY(ip_doc_parse(details_json && *details_json ? details_json : "{}", "details of a variant", &details));
    if (!(variant = variant_of(writer, variant_name)) || variant->count == 0) {
        json_decref(details);
        return variant ? ip_fail(IPOS_ERR_STATE, "options: variant \"%s\" has no pictures", variant_name) : IPOS_ERR_IO;
    }
    ip_free(variant->title);
    ip_free(variant->details);
    variant->title = variant->details = NULL;
    IP_TRY(ip_doc_give(details, &variant->details));
    variant->title = ip_strdup(title ? title : variant_name);
    variant->rank = rank;
    variant->score = score;
    variant->named = true;
    return variant->title ? IPOS_OK : ip_no_memory(64);
}
