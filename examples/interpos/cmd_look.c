/* interpos clips, verify, ledger, operations, info, engine */
#include "cmd.h"
#include <stdlib.h>
#include <string.h>

static const cli_option json_options[] = {{"json", NULL, "print JSON"}, {NULL, NULL, NULL}};

static int run_clips(const cli_args *args)
{
    static const char *const heads[] = {"clip", "frames", "range", "size", "fps", "encoding", "shots", "training", "licence", "state"};
    cli_session session;
    char *text = NULL, rate[32];
    size_t i;
    json_t *entry;
    int code = session_open(&session, args, args->words[0]);

    if (code)
        return code;
    json_t *list = take_json(ipos_project_clips(session.project, args->word_count > 1 ? args->words[1] : NULL, &text), &text, &code);
    session_close(&session);
    if (code)
        return code;
    if (wants_json(args))
        return show_json(list);
    table *rows = table_new(10, heads);
    json_array_foreach(list, i, entry)
        table_add(rows, "%s\t%lld\t%lld-%lld\t%lldx%lld\t%s\t%s\t%zu\t%s\t%s\t%s", text_of(entry, "name"), int_of(entry, "frames"),
            int_of(entry, "first"), int_of(entry, "last"), int_of(entry, "width"), int_of(entry, "height"),
            time_text(json_object_get(entry, "rate"), rate), text_of(entry, "encoding"), json_array_size(json_object_get(entry, "shots")),
            text_of(entry, "training"), text_of(entry, "licence"), text_of(entry, "state"));
    table_print(rows);
    json_decref(list);
    return EXIT_OK;
}

const cli_command command_clips = {"clips", "PROJECT [CLIP]", "list the clips",
    "Example:\n  interpos clips northwind --json\n", json_options, 1, 2, run_clips};

static int run_verify(const cli_args *args)
{
    cli_session session;
    char *text = NULL;
    size_t i;
    json_t *entry;
    int code = session_open(&session, args, args->words[0]), parsed;

    if (code)
        return code;
    interrupt_watch(NULL);
    ipos_status status = ipos_project_verify(session.project, args_has(args, "footage"), progress_report, NULL, &text);
    code = say_status(status);
    progress_end();
    session_close(&session);
    json_t *report = text ? take_json(IPOS_OK, &text, &parsed) : NULL;
    if (report && wants_json(args)) {
        show_json(report);
        return code;
    }
    json_array_foreach(json_object_get(report, "problems"), i, entry)
        printf("problem: %s\n", json_string_value(entry));
    if (status == IPOS_OK) {
        const char *what;
        printf("verified:");
        json_object_foreach(json_object_get(report, "checked"), what, entry)
            printf(" %s %lld", what, (long long)json_integer_value(entry));
        printf("\n");
    }
    json_decref(report);
    return code;
}

static const cli_option verify_options[] = {
    {"footage", NULL, "hash every ingested frame too"}, {"json", NULL, "print the report as JSON"}, {NULL, NULL, NULL}};
const cli_command command_verify = {"verify", "PROJECT", "check the ledger's chain and every stored file against its hash",
    "Example:\n  interpos verify northwind --footage\n", verify_options, 1, 1, run_verify};

static int run_ledger(const cli_args *args)
{
    static const char *const heads[] = {"seq", "when", "act", "by", "hash"};
    cli_session session;
    char *text = NULL;
    size_t i;
    json_t *entry;
    int code = session_open(&session, args, args->words[0]);

    if (code)
        return code;
    json_t *list = take_json(ipos_project_ledger(session.project, &text), &text, &code);
    session_close(&session);
    if (code)
        return code;
    if (wants_json(args))
        return show_json(list);
    table *rows = table_new(5, heads);
    json_array_foreach(list, i, entry)
        table_add(rows, "%lld\t%s\t%s\t%s\t%.16s", int_of(entry, "seq"), text_of(entry, "when"), text_of(entry, "act"),
            *text_of(entry, "by") ? text_of(entry, "by") : "-", text_of(entry, "hash"));
    table_print(rows);
    json_decref(list);
    return EXIT_OK;
}

const cli_command command_ledger = {"ledger", "PROJECT", "list every act: a hash-chained log",
    "Example:\n  interpos ledger northwind --json\n", json_options, 1, 1, run_ledger};

static void show_settings(const json_t *options)
{
    static const char *const heads[] = {"  setting", "type", "default", "range", "help"};
    table *rows = table_new(5, heads);
    char choices[256];
    size_t i;
    json_t *entry;

    json_array_foreach((json_t *)options, i, entry) {
        if (json_is_number(json_object_get(entry, "minimum")))
            snprintf(choices, sizeof choices, "%g..%g", real_of(entry, "minimum"), real_of(entry, "maximum"));
        else
            joined(json_object_get(entry, "choices"), choices, sizeof choices);
        table_add(rows, "  %s\t%s\t%s\t%s\t%s%s%s", text_of(entry, "name"), text_of(entry, "type"), text_of(entry, "default"), choices,
            text_of(entry, "help"), *text_of(entry, "unit") ? ", in " : "", text_of(entry, "unit"));
    }
    table_print(rows);
}

static int run_operations(const cli_args *args)
{
    char *text = NULL;
    size_t i;
    json_t *entry;
    int code;
    json_t *list = take_json(ipos_operations(&text), &text, &code);

    if (code)
        return code;
    if (wants_json(args))
        return show_json(list);
    json_array_foreach(list, i, entry) {
        printf("%s: %s%s\n  %s\n", text_of(entry, "name"), text_of(entry, "title"),
            json_is_true(json_object_get(entry, "trainable")) ? " (learns from dailies)" : "", text_of(entry, "help"));
        if (json_array_size(json_object_get(entry, "options")))
            show_settings(json_object_get(entry, "options"));
    }
    json_decref(list);
    return EXIT_OK;
}

const cli_command command_operations = {"operations", "", "list the operations with their typed settings",
    "Example:\n  interpos operations --json\n", json_options, 0, 0, run_operations};

static int run_info(const cli_args *args)
{
    cli_session session;
    char *text = NULL, rate[32];
    size_t i;
    json_t *entry;
    int code = session_open(&session, args, NULL);

    if (code)
        return code;
    json_t *info = take_json(ipos_media_info(session.context, args->words[0], &text), &text, &code);
    session_close(&session);
    if (code)
        return code;
    if (wants_json(args))
        return show_json(info);
    const json_t *frames = json_object_get(info, "frames");
    printf("%s: %s, %s, %lldx%lld\nchannels:", args->words[0], text_of(info, "kind"), text_of(info, "format"), int_of(info, "width"),
        int_of(info, "height"));
    json_array_foreach(json_object_get(info, "channels"), i, entry)
        printf(" %s (%s)", text_of(entry, "name"), text_of(entry, "type"));
    printf("\nframes: %lld (%lld-%lld), %zu missing\n", int_of(frames, "count"), int_of(frames, "first"), int_of(frames, "last"),
        json_array_size(json_object_get(frames, "missing")));
    if (int_of(info, "parts") > 1)
        printf("parts: %lld\n", int_of(info, "parts"));
    if (json_is_array(json_object_get(info, "rate")))
        printf("rate: %s\n", time_text(json_object_get(info, "rate"), rate));
    if (*text_of(info, "timecode"))
        printf("timecode: %s\n", text_of(info, "timecode"));
    const char *name;
    json_object_foreach(json_object_get(info, "attributes"), name, entry) {
        char *value = json_dumps(entry, JSON_COMPACT | JSON_ENCODE_ANY);
        printf("  %s: %.120s\n", name, value ? value : "");
        free(value);
    }
    json_decref(info);
    return EXIT_OK;
}

const cli_command command_info = {"info", "FILE", "say what an image, sequence, folder or movie holds",
    "Examples:\n  interpos info plate.exr\n  interpos info 'plates/A001.####.exr' --json\n", json_options, 1, 1, run_info};

static int run_engine(const cli_args *args)
{
    cli_session session;
    char *text = NULL;
    int code = session_open(&session, args, NULL);

    if (code)
        return code;
    json_t *info = take_json(ipos_context_engine_info(session.context, args_has(args, "measure"), &text), &text, &code);
    session_close(&session);
    return code ? code : show_json(info);
}

static const cli_option engine_options[] = {
    {"measure", NULL, "measure the machine's convolution speed (about 2 s)"}, {"json", NULL, "print JSON (always so)"}, {NULL, NULL, NULL}};
const cli_command command_engine = {"engine", "", "start the engine and say what it is",
    "Example:\n  interpos engine --measure\n", engine_options, 0, 0, run_engine};
