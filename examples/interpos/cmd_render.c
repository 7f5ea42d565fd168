/* interpos render */
#include "cmd.h"
#include <stdlib.h>
#include <string.h>

/* name=@FILE: what the file holds. */
static int set_option(ipos_operation *operation, const char *name, const char *value)
{
    char *text = NULL;

    if (value[0] != '@')
        return say_status(ipos_operation_set(operation, name, value));
    if (!(text = read_text(value + 1)))
        return EXIT_FAILED;
    int code = say_status(ipos_operation_set(operation, name, text));
    free(text);
    return code;
}

static int set_options(const cli_args *args, ipos_operation *operation)
{
    const char *pair;
    int code = EXIT_OK;

    for (int at = 0; !code && (pair = args_next(args, "set", &at));) {
        const char *equals = strchr(pair, '=');
        if (!equals)
            return say_usage("render: --set %s: expected name=value; `interpos operations` lists the names", pair);
        char *name = strndup(pair, (size_t)(equals - pair));
        if (strcmp(name, "strokes") == 0 && args_has(args, "stroke"))
            code = say_usage("render: --stroke and --set strokes=...: give one of them");
        else
            code = set_option(operation, name, equals + 1);
        free(name);
    }
    return code;
}

/* The curves that people drew, from all files together. */
static int set_strokes(const cli_args *args, ipos_operation *operation)
{
    char *text = NULL;

    if (!args_has(args, "stroke"))
        return EXIT_OK;
    int code = strokes_of(args, &text);
    if (!code)
        code = say_status(ipos_operation_set(operation, "strokes", text));
    free(text);
    return code;
}

static int prepare(const cli_args *args, cli_session *session, ipos_operation **operation)
{
    ipos_model *model = NULL;
    int code = say_status(ipos_operation_create(session->project, args_get(args, "operation"), operation));

    if (code || (code = set_options(args, *operation)) || (code = set_strokes(args, *operation)))
        return code;
    if (args_get(args, "model")) {
        code = say_status(ipos_model_open(session->project, args_get(args, "model"), &model));
        if (!code)
            code = say_status(ipos_operation_set_model(*operation, model));
        ipos_model_release(model);
    }
    if (!code)
        code = say_status(ipos_operation_set_clip(*operation, args_get(args, "clip")));
    if (!code)
        code = say_status(ipos_operation_set_frames(*operation, args_get(args, "frames")));
    return code;
}

/* The options just made, as the project describes them, best first. */
static json_t *made(cli_session *session, ipos_operation *operation, int *code)
{
    json_t *all = json_array();

    for (size_t i = 0; i < ipos_operation_result_count(operation); i++) {
        ipos_result_info info = {.struct_size = sizeof info};
        char *text = NULL;
        if ((*code = say_status(ipos_operation_result(operation, i, &info))))
            break;
        json_t *list = take_json(ipos_project_options(session->project, info.option, &text), &text, code);
        if (*code)
            break;
        json_array_extend(all, list);
        json_decref(list);
    }
    return all;
}

static int show_made(const cli_args *args, json_t *list)
{
    if (wants_json(args))
        return show_json(list);
    show_options(list);
    show_lost(list);
    show_changes(list);
    const char *best = text_of(json_array_get(list, 0), "id");
    printf("look at the sheets, then: interpos accept %s %s --by NAME    (or reject), and: interpos publish %s %s OUTPUT\n",
        args->words[0], best, args->words[0], best);
    json_decref(list);
    return EXIT_OK;
}

static int run_render(const cli_args *args)
{
    cli_session session;
    ipos_operation *operation = NULL;
    int code;

    if (!args_get(args, "operation") || !args_get(args, "clip") || !args_get(args, "frames"))
        return say_usage("render: --operation, --clip and --frames are needed: see `interpos render --help`");
    if ((code = session_open(&session, args, args->words[0])))
        return code;
    if (!(code = prepare(args, &session, &operation))) {
        interrupt_watch(operation);
        code = say_status(ipos_operation_run(operation, progress_report, NULL));
        progress_end();
        interrupt_watch(NULL);
    }
    if (!code) {
        json_t *list = made(&session, operation, &code);
        if (!code)
            code = show_made(args, list);
        else
            json_decref(list);
    }
    ipos_operation_release(operation);
    session_close(&session);
    return code;
}

static const cli_option render_options[] = {
    {"operation", "NAME", "inbetween ...; `interpos operations` lists them (needed)"},
    {"clip", "NAME", "the clip to work on (needed)"},
    {"frames", "LIST", "10  10-20  1-99x2  10.5  21/2, comma-separated (needed)"},
    {"model", "NAME", "a model trained in this project; preset: the classical method alone"},
    {"set", "name=value", "a setting of the operation; may be repeated; one that names clips: matte=A001_matte; what a file holds: look=@look.json"},
    {"stroke", "FILE[@FRAME]", "curves drawn along what is meant, SVG or JSON; may be repeated; a curve that names no frame is on FRAME,\n"
        "                             else on the first of --frames"},
    {"json", NULL, "print the options made as JSON"},
    {NULL, NULL, NULL}};
const cli_command command_render = {"render", "PROJECT --operation NAME --clip NAME --frames LIST", "run an operation: it makes options to choose from",
    "Examples:\n  interpos render northwind --operation inbetween --clip A001 --frames 1047 --model day1\n"
    "  interpos render northwind --operation inbetween --clip A001 --frames 1001-1099x2\n"
    "  interpos render northwind --operation wires --clip A001 --frames 1001-1024 --stroke left.svg@1012 --set matte=A001_matte\n",
    render_options, 1, 1, run_render};
