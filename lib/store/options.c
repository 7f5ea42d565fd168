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
        status = ip_clip_load(store, clip, &writer->clip);
    if (status == IPOS_OK)
        status = ip_option_add_clip(writer, writer->clip.name);
    if (status == IPOS_OK)
        status = ip_scratch_open(store, &writer->scratch);
    if (status != IPOS_OK) {
        ip_option_writer_free(writer);
        return status;
    }
    store->writer = *out = writer;
    return IPOS_OK;
}

void ip_option_edits(ip_option_writer *writer)
{
    writer->edits = true;
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
    ip_writer_sources_free(writer);
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

/* Writes a file durably and gives its bytes' hash. */
static ipos_status write_hashed(ipos_frame *const *frames, size_t count, const char *format, const char *folder, const char *file, char hash[65])
{
    ipos_write_config config = {sizeof config, .format = format};
    char *path = ip_path_join(folder, file);
    void *bytes = NULL;
    size_t size = 0;
    ipos_status status = path ? ip_image_write(frames, count, &config, NULL, &bytes, &size) : ip_no_memory(256);

    if (status == IPOS_OK && !ip_sha256_of(bytes, size, hash))
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", path);
    if (status == IPOS_OK)
        status = ip_file_write(path, bytes, size);
    ip_free(bytes);
    ip_free(path);
    return status;
}

static ipos_status write_evidence(ip_option_variant *variant, ip_option_picture *picture, const char *label,
    const ipos_frame *evidence)
{
    ipos_frame *half;

    picture->evidence = ip_format("evidence.%s.exr", label);
    if (!picture->evidence)
        return ip_no_memory(64);
    IP_TRY(ip_evidence_half(evidence, &half));
    ipos_status status = write_hashed(&half, 1, "exr", variant->folder, picture->evidence, picture->evidence_hash);
    ipos_frame_release(half);
    return status;
}

static ipos_status write_picture(ip_option_writer *writer, ip_option_variant *variant, ip_option_picture *made, const char *label,
    const ipos_frame *picture, const ipos_frame *evidence)
{
    ipos_frame *dressed, **parts = NULL;
    size_t count = 0;

    IP_TRY(ip_writer_dress(writer, made->time, picture, &dressed));
    ipos_status status = writer->edits ? ip_edit_check(made->time.num, writer->attributes, dressed, evidence) : IPOS_OK;
    const char *format = ip_format_for(dressed, writer->clip.format);
    if (status == IPOS_OK && !(made->picture = ip_format("picture.%s.%s", label, strcmp(format, "tiff") == 0 ? "tif" : format)))
        status = ip_no_memory(64);
    if (status == IPOS_OK)
        status = ip_writer_parts(writer, made->time, dressed, &parts, &count);
    if (status == IPOS_OK)
        status = write_hashed(parts, count, format, variant->folder, made->picture, made->picture_hash);
    ip_frames_free(parts, count);
    ipos_frame_release(dressed);
    return status;
}

ipos_status ip_option_add_frame(ip_option_writer *writer, const char *variant_name, ipos_rational time, double confidence,
    ipos_frame *picture, ipos_frame *evidence)
{
    ip_option_variant *variant;
    ip_option_picture made = {.time = time, .confidence = confidence};
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
    ipos_status status = write_picture(writer, variant, &made, label, picture, evidence);
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
