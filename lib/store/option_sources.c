/* What options are made from: the frames read while they are being made, by clip. */
#include "catalogue.h"

static ipos_status add(ip_option_writer *writer, const char *clip, int64_t id)
{
    ip_option_source *grown = ip_realloc(writer->read, (writer->read_count + 1) * sizeof *grown);

    if (!grown)
        return ip_no_memory((writer->read_count + 1) * sizeof *grown);
    writer->read = grown;
    grown[writer->read_count] = (ip_option_source){.clip = ip_strdup(clip), .id = id};
    return grown[writer->read_count++].clip ? IPOS_OK : ip_no_memory(strlen(clip));
}

static ip_option_source *find(ip_option_writer *writer, const char *clip)
{
    for (size_t i = 0; writer && i < writer->read_count; i++)
        if (strcmp(writer->read[i].clip, clip) == 0)
            return &writer->read[i];
    return NULL;
}

ipos_status ip_option_add_clip(ip_option_writer *writer, const char *clip)
{
    ip_clip_row row;

    if (find(writer, clip))
        return IPOS_OK;
    IP_TRY(ip_store_check_permission(writer->store, clip, writer->operation, false));
    IP_TRY(ip_clip_load(writer->store, clip, &row));
    ipos_status status = add(writer, row.name, row.id);
    ip_clip_row_free(&row);
    return status;
}

ipos_status ip_writer_note(ip_option_writer *writer, const char *clip, int64_t number)
{
    ip_option_source *source = find(writer, clip);
    size_t at;

    if (!source)
        return IPOS_OK; /* read by the host meanwhile, not by the operation */
    for (at = source->count; at > 0 && source->numbers[at - 1] >= number; at--)
        if (source->numbers[at - 1] == number)
            return IPOS_OK;
    if (source->count == source->room) {
        size_t room = source->room ? 2 * source->room : 64;
        int64_t *grown = ip_realloc(source->numbers, room * sizeof *grown);
        if (!grown)
            return ip_no_memory(room * sizeof *grown);
        source->numbers = grown;
        source->room = room;
    }
    memmove(source->numbers + at + 1, source->numbers + at, (source->count - at) * sizeof *source->numbers);
    source->numbers[at] = number;
    source->count++;
    return IPOS_OK;
}

static ipos_status describe(ip_option_writer *writer, const ip_option_source *source, json_t *list)
{
    for (size_t i = 0; i < source->count; i++) {
        sqlite3_stmt *row;
        IP_TRY(ip_db_first(writer->store->db, &row, "SELECT lower(hex(sha256)) FROM frames WHERE clip=? AND number=?", "ii", source->id,
            source->numbers[i]));
        json_t *entry = json_pack("{s:I, s:s}", "frame", (json_int_t)source->numbers[i], "sha256", ip_db_text(row, 0));
        sqlite3_finalize(row);
        if (entry && source != writer->read)
            json_object_set_new(entry, "clip", json_string(source->clip));
        if (json_array_append_new(list, entry) != 0)
            return ip_no_memory(256);
    }
    return IPOS_OK;
}

ipos_status ip_writer_sources(ip_option_writer *writer, char **text)
{
    json_t *list = json_array();
    ipos_status status = list ? IPOS_OK : ip_no_memory(64);

    for (size_t i = 0; i < writer->read_count && status == IPOS_OK; i++)
        status = describe(writer, &writer->read[i], list);
    if (status == IPOS_OK)
        return ip_doc_give(list, text);
    json_decref(list);
    return status;
}

void ip_writer_sources_free(ip_option_writer *writer)
{
    for (size_t i = 0; i < writer->read_count; i++) {
        ip_free(writer->read[i].clip);
        ip_free(writer->read[i].numbers);
    }
    ip_free(writer->read);
}

bool ip_option_changes(const json_t *option, int64_t number)
{
    json_t *source;
    size_t i;

    json_array_foreach((json_t *)json_object_get(option, "sources"), i, source)
        if (!json_object_get(source, "clip") && json_integer_value(json_object_get(source, "frame")) == number)
            return true;
    return false;
}
