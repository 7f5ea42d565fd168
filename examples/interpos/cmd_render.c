/* interpos render, options */
#include "cmd.h"
#include <stdlib.h>
#include <string.h>

static double mean_confidence(const json_t *option)
{
    const json_t *frames = json_object_get(option, "frames");
    double sum = 0;
    size_t i;
    json_t *entry;

    json_array_foreach((json_t *)frames, i, entry)
        sum += real_of(entry, "confidence");
    return i ? sum / (double)i : 0;
}

static void add_option(table *rows, const json_t *option)
{
    const json_t *frames = json_object_get(option, "frames"), *decision = json_object_get(option, "decision");
    const size_t count = json_array_size(frames);
    char first[32], last[32], times[96], score[32] = "-";

    time_text(json_object_get(json_array_get(frames, 0), "time"), first);
    time_text(json_object_get(json_array_get(frames, count ? count - 1 : 0), "time"), last);
    if (count > 1)
        snprintf(times, sizeof times, "%s..%s (%zu)", first, last, count);
    else
        snprintf(times, sizeof times, "%s", first);
    if (json_is_number(json_object_get(option, "score")) && real_of(option, "score") >= 0)
        snprintf(score, sizeof score, "%.2f", real_of(option, "score"));
    table_add(rows, "%s\t%s\t%s\t%s\t%s\t%.2f\t%s%s%s\t%s", text_of(option, "id"), text_of(option, "clip"), times,
        text_of(option, "variant"), score, mean_confidence(option), text_of(option, "state"), json_is_object(decision) ? " by " : "",
        text_of(decision, "by"), text_of(option, "sheet"));
}

static table *option_table(void)
{
    static const char *const heads[] = {"option", "clip", "frames", "variant", "score dB", "confidence", "state", "sheet"};

    return table_new(8, heads);
}

/* The first option of the newest request that nobody rejected: options of a request come best first. */
static int show_best(const json_t *list)
{
    const char *newest = text_of(json_array_get(list, json_array_size(list) ? json_array_size(list) - 1 : 0), "request");
    json_t *entry;
    size_t i;

    json_array_foreach((json_t *)list, i, entry)
        if (strcmp(text_of(entry, "request"), newest) == 0 && strcmp(text_of(entry, "state"), "rejected") != 0
            && strcmp(text_of(entry, "state"), "draft") != 0) {
            puts(text_of(entry, "id"));
            return EXIT_OK;
        }
    fprintf(stderr, "interpos: no option to choose: `interpos render` makes some\n");
    return EXIT_FAILED;
}

static int run_options(const cli_args *args)
{
    cli_session session;
    char *text = NULL;
    int code = session_open(&session, args, args->words[0]);

    if (code)
        return code;
    json_t *list = take_json(ipos_project_options(session.project, args->word_count > 1 ? args->words[1] : NULL, &text), &text, &code);
    json_t *entry;
    size_t i;
    session_close(&session);
    if (code)
        return code;
    if (args_has(args, "best")) {
        code = show_best(list);
        json_decref(list);
        return code;
    }
    if (wants_json(args))
        return show_json(list);
    table *rows = option_table();
    json_array_foreach(list, i, entry)
        add_option(rows, entry);
    table_print(rows);
    json_decref(list);
    return EXIT_OK;
}

static const cli_option list_options[] = {
    {"best", NULL, "print the id of the newest request's best option alone"}, {"json", NULL, "print JSON"}, {NULL, NULL, NULL}};
const cli_command command_options = {"options", "PROJECT [OPTION]", "list what operations made",
    "Example:\n  interpos options northwind\n  interpos options northwind o3 --json\n", list_options, 1, 2, run_options};

static int set_options(const cli_args *args, ipos_operation *operation)
{
    const char *pair;
    int code = EXIT_OK;

    for (int at = 0; !code && (pair = args_next(args, "set", &at));) {
        const char *equals = strchr(pair, '=');
        if (!equals)
            return say_usage("render: --set %s: expected name=value; `interpos operations` lists the names", pair);
        char *name = strndup(pair, (size_t)(equals - pair));
        code = say_status(ipos_operation_set(operation, name, equals + 1));
        free(name);
    }
    return code;
}

static int prepare(const cli_args *args, cli_session *session, ipos_operation **operation)
{
    ipos_model *model = NULL;
    int code = say_status(ipos_operation_create(session->project, args_get(args, "operation"), operation));

    if (code || (code = set_options(args, *operation)))
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
    size_t i;
    json_t *entry;

    if (wants_json(args))
        return show_json(list);
    table *rows = option_table();
    json_array_foreach(list, i, entry)
        add_option(rows, entry);
    table_print(rows);
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
    {"set", "name=value", "a setting of the operation; may be repeated"},
    {"json", NULL, "print the options made as JSON"},
    {NULL, NULL, NULL}};
const cli_command command_render = {"render", "PROJECT --operation NAME --clip NAME --frames LIST", "run an operation: it makes options to choose from",
    "Examples:\n  interpos render northwind --operation inbetween --clip A001 --frames 1047 --model day1\n"
    "  interpos render northwind --operation inbetween --clip A001 --frames 1001-1099x2\n",
    render_options, 1, 1, run_render};
