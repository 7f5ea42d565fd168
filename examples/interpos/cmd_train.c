/* interpos train, models, card */
#include "cmd.h"
#include <stdlib.h>
#include <string.h>

static void show_score(const json_t *card)
{
    static const char *const heads[] = {"clip", "model dB", "baseline dB", "gain"};
    const json_t *score = json_object_get(card, "score"), *clips = json_object_get(score, "per_clip");
    table *rows = table_new(4, heads);
    size_t i;
    json_t *entry;

    json_array_foreach((json_t *)clips, i, entry)
        table_add(rows, "%s\t%.2f\t%.2f\t%+.2f", text_of(entry, "clip"), real_of(entry, "model"), real_of(entry, "baseline"),
            real_of(entry, "model") - real_of(entry, "baseline"));
    table_add(rows, "all held-out shots\t%.2f\t%.2f\t%+.2f", real_of(score, "held_out"), real_of(score, "baseline"), real_of(score, "gain"));
    table_print(rows);
}

static int show_trained(const cli_args *args, ipos_model *model, const char *preview)
{
    char *text = NULL;
    int code;
    json_t *card = take_json(ipos_model_card(model, &text), &text, &code);

    if (code)
        return code;
    if (wants_json(args))
        return show_json(card);
    printf("model %s is ready\n", text_of(card, "name"));
    show_score(card);
    if (preview)
        printf("preview: %s\n", preview);
    printf("next: interpos render %s --operation %s --clip CLIP --frames 10-20 --model %s\n", args->words[0], text_of(card, "operation"),
        text_of(card, "name"));
    json_decref(card);
    return EXIT_OK;
}

static int fill_train(const cli_args *args, ipos_train_config *train)
{
    int64_t seed = 0, threads = 0;

    *train = (ipos_train_config){.struct_size = sizeof *train};
    if (!args_get(args, "for") || !args_get(args, "model"))
        return say_usage("train: --for OPERATION and --model NAME are needed");
    if (!args_real(args, "minutes", &train->minutes) || !args_int(args, "steps", &train->steps) || !args_int(args, "seed", &seed)
        || !args_int(args, "threads", &threads))
        return EXIT_USAGE;
    if (seed < 0 || threads < 0 || threads > 1024)
        return say_usage("train: --seed and --threads must not be negative, threads at most 1024");
    train->operation = args_get(args, "for");
    train->name = args_get(args, "model");
    train->clips = args_get(args, "clips");
    train->seed = (uint64_t)seed;
    train->threads = (int32_t)threads;
    train->device = args_get(args, "device");
    train->resume = args_has(args, "resume");
    train->operator_name = args_get(args, "by");
    return EXIT_OK;
}

/* Says where the preview is once training has begun, and not when it is refused. */
static int32_t report(void *user, double done, double remaining, const char *stage, const char *json)
{
    const char **preview = user;

    if (*preview && !progress_is_jsonl())
        fprintf(stderr, "preview: %s (kept up to date while training)\n", *preview);
    *preview = NULL;
    return progress_report(NULL, done, remaining, stage, json);
}

/* Whether there is a checkpoint to go on from. */
static void say_resume(ipos_project *project, const char *name)
{
    char *text = NULL;
    size_t i;
    json_t *entry, *list;
    bool kept = false;

    if (ipos_project_models(project, &text) != IPOS_OK)
        return;
    list = json_loads(text, 0, NULL);
    ipos_free(text);
    json_array_foreach(list, i, entry)
        kept = kept || (strcmp(text_of(entry, "name"), name) == 0 && strcmp(text_of(entry, "state"), "unfinished") == 0);
    json_decref(list);
    fprintf(stderr, kept ? "interpos: what was learned up to the last checkpoint is kept: repeat the command with --resume\n"
                         : "interpos: that was before the first checkpoint: nothing is kept\n");
}

static int run_train(const cli_args *args)
{
    ipos_train_config train;
    ipos_model *model = NULL;
    cli_session session;
    char *preview = NULL, *look = NULL;
    int code = fill_train(args, &train);

    if (!code && args_get(args, "look") && !(train.look = look = read_text(args_get(args, "look"))))
        code = EXIT_FAILED;
    if (code || (code = session_open(&session, args, args->words[0]))) {
        free(look);
        return code;
    }
    if (args_get(args, "preview"))
        preview = strdup(args_get(args, "preview"));
    else if (asprintf(&preview, "%s/%s-preview.png", args->words[0], train.name) < 0)
        preview = NULL;
    train.preview = args_has(args, "no-preview") ? NULL : preview;
    const char *told = train.preview;
    interrupt_watch(NULL);
    ipos_status status = ipos_model_train(session.project, &train, report, &told, &model);
    code = say_status(status);
    progress_end();
    if (!code)
        code = show_trained(args, model, train.preview);
    else if (status == IPOS_ERR_CANCELLED || status == IPOS_ERR_ENGINE)
        say_resume(session.project, train.name);
    free(preview);
    free(look);
    ipos_model_release(model);
    session_close(&session);
    return code;
}

static const cli_option train_options[] = {
    {"for", "OPERATION", "what the model is for, e.g. inbetween (needed)"},
    {"model", "NAME", "the model's name (needed)"},
    {"clips", "LIST", "clips to learn from; preset: all whose training is allowed"},
    {"minutes", "M", "time budget; preset 10"},
    {"steps", "N", "step budget instead: repeats bit-exactly with seed and threads"},
    {"seed", "S", "preset 0"},
    {"threads", "T", "preset: all processors this process may use"},
    {"device", "D", "auto, cpu, cuda, cuda:1"},
    {"resume", NULL, "go on from the last checkpoint"},
    {"by", "NAME", "who started it, for the model card"},
    {"preview", "FILE", "a PNG kept up to date; preset PROJECT/MODEL-preview.png"},
    {"no-preview", NULL, "write none"},
    {"look", "FILE", "the production's look, written with `interpos look -o`, to be kept on the model card"},
    {"json", NULL, "print the model card as JSON"},
    {NULL, NULL, NULL}};
const cli_command command_train = {"train", "PROJECT --for OPERATION --model NAME", "train a model on the project's own dailies",
    "Shots are held out; the best checkpoint on them is kept. Ctrl-C keeps the last checkpoint.\n"
    "Examples:\n  interpos train northwind --for inbetween --model day1 --minutes 20\n"
    "  interpos train northwind --for inbetween --model day1 --minutes 20 --resume\n"
    "  interpos train northwind --for inbetween --model test --clips A001,A002 --steps 200 --seed 7 --threads 2\n",
    train_options, 1, 1, run_train};

static int run_models(const cli_args *args)
{
    static const char *const heads[] = {"model", "operation", "state", "gain dB", "created"};
    cli_session session;
    char *text = NULL;
    int code = session_open(&session, args, args->words[0]);

    if (code)
        return code;
    json_t *list = take_json(ipos_project_models(session.project, &text), &text, &code), *entry;
    size_t i;
    session_close(&session);
    if (code)
        return code;
    if (wants_json(args))
        return show_json(list);
    table *rows = table_new(5, heads);
    json_array_foreach(list, i, entry) {
        const json_t *gain = json_object_get(entry, "gain");
        char figure[32] = "-";
        if (json_is_number(gain))
            snprintf(figure, sizeof figure, "%+.2f", json_number_value(gain));
        table_add(rows, "%s\t%s\t%s\t%s\t%s", text_of(entry, "name"), text_of(entry, "operation"), text_of(entry, "state"), figure,
            text_of(entry, "created"));
    }
    table_print(rows);
    json_decref(list);
    return EXIT_OK;
}

static const cli_option json_options[] = {{"json", NULL, "print JSON"}, {NULL, NULL, NULL}};
const cli_command command_models = {"models", "PROJECT", "list the trained models",
    "Example:\n  interpos models northwind\n", json_options, 1, 1, run_models};

static int run_card(const cli_args *args)
{
    cli_session session;
    ipos_model *model = NULL;
    char *text = NULL;
    int code = session_open(&session, args, args->words[0]);

    if (code)
        return code;
    code = say_status(ipos_model_open(session.project, args->words[1], &model));
    if (!code && wants_json(args)) {
        json_t *card = take_json(ipos_model_card(model, &text), &text, &code);
        if (!code)
            show_json(card);
    } else if (!code && !(code = say_status(ipos_model_card_text(model, &text)))) {
        fputs(text, stdout);
        ipos_free(text);
    }
    ipos_model_release(model);
    session_close(&session);
    return code;
}

const cli_command command_card = {"card", "PROJECT MODEL", "print a model's card: inputs, permissions, settings, scores",
    "Example:\n  interpos card northwind day1\n", json_options, 2, 2, run_card};
