/* interpos init, ingest, permit */
#include "cmd.h"
#include <stdlib.h>
#include <string.h>

static int run_init(const cli_args *args)
{
    cli_session session;
    int code = session_open(&session, args, NULL);

    if (code)
        return code;
    code = say_status(ipos_project_create(session.context, args->words[0], args_get(args, "title"), &session.project));
    if (!code && !progress_is_jsonl())
        printf("made project %s\nnext: interpos ingest %s FOOTAGE --clip NAME --fps 24 --encoding rec709 --owner WHO --licence BASIS "
               "--training allowed\n", args->words[0], args->words[0]);
    session_close(&session);
    return code;
}

static const cli_option init_options[] = {{"title", "TEXT", "the production's name; preset: the folder's"}, {NULL, NULL, NULL}};
const cli_command command_init = {"init", "PROJECT", "make a new project folder",
    "Example:\n  interpos init /prod/northwind --title \"Northwind\"\n", init_options, 1, 1, run_init};

/* "/a/b/shot_010.%04d.exr" -> "shot_010" */
static char *name_from(const char *footage)
{
    char *path = strdup(footage);

    if (!path)
        return NULL;
    for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
        path[length - 1] = '\0';
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash ? slash + 1 : path);
    free(path);
    if (name && strchr(name + (*name != '\0'), '.'))
        *strchr(name + 1, '.') = '\0';
    for (char *at = name; at && *at; at++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *at))
            *at = '_';
    return name;
}

static char *clip_name(const cli_args *args, int index)
{
    const char *given = args_get(args, "clip");
    char *name = NULL;

    if (!given)
        return name_from(args->words[index]);
    if (args->word_count == 2)
        return strdup(given);
    return asprintf(&name, "%s-%d", given, index) < 0 ? NULL : name;
}

static int fill_clip(const cli_args *args, ipos_clip_config *clip)
{
    const char *training = args_get(args, "training");
    int64_t first = 0;

    *clip = (ipos_clip_config){.struct_size = sizeof *clip};
    if (training && strcmp(training, "allowed") == 0)
        clip->training = IPOS_TRAINING_ALLOWED;
    else if (training && strcmp(training, "denied") == 0)
        clip->training = IPOS_TRAINING_DENIED;
    else
        return say_usage("ingest: say whether models may learn from this footage: --training allowed or --training denied");
    if (!args_rate(args, "fps", &clip->rate) || !args_int(args, "first-frame", &first))
        return EXIT_USAGE;
    clip->owner = args_get(args, "owner");
    clip->licence = args_get(args, "licence");
    if (!clip->owner || !clip->licence)
        return say_usage("ingest: --owner and --licence are needed: who owns the footage, and on what basis it is used");
    clip->encoding = args_get(args, "encoding");
    clip->operations = args_get(args, "operations");
    clip->consents = args_get(args, "consents");
    clip->tags = args_get(args, "tags");
    clip->permission_source = args_get(args, "permission-source");
    clip->first_frame = first;
    clip->copy = args_has(args, "copy");
    clip->duplicate_check = args_has(args, "no-duplicate-check") ? -1 : 0;
    return EXIT_OK;
}

/* shown: an array that gets the clip's description. */
static int ingest_one(const cli_args *args, cli_session *session, ipos_clip_config *clip, int index, json_t *shown)
{
    char *name = clip_name(args, index), *text = NULL;
    int code;

    clip->name = name;
    code = say_status(ipos_project_ingest(session->project, args->words[index], clip, progress_report, NULL));
    progress_end();
    if (!code) {
        json_t *list = take_json(ipos_project_clips(session->project, name, &text), &text, &code);
        const json_t *entry = json_array_get(list, 0);
        if (!code)
            json_array_append(shown, (json_t *)entry);
        if (!code && !wants_json(args))
            printf("%s: %lld frames (%lld-%lld), %lldx%lld, %s, %zu shots, %lld duplicate frames, training %s\n", name,
                int_of(entry, "frames"), int_of(entry, "first"), int_of(entry, "last"), int_of(entry, "width"), int_of(entry, "height"),
                text_of(entry, "encoding"), json_array_size(json_object_get(entry, "shots")), int_of(entry, "duplicates"),
                text_of(entry, "training"));
        json_decref(list);
    }
    free(name);
    return code;
}

static int run_ingest(const cli_args *args)
{
    cli_session session;
    ipos_clip_config clip;
    int code = fill_clip(args, &clip);

    if (code || (code = session_open(&session, args, args->words[0])))
        return code;
    json_t *shown = json_array();
    interrupt_watch(NULL);
    for (int i = 1; i < args->word_count && !code; i++)
        code = ingest_one(args, &session, &clip, i, shown);
    session_close(&session);
    if (wants_json(args) && json_array_size(shown))
        show_json(args->word_count > 2 ? json_incref(shown) : json_incref(json_array_get(shown, 0)));
    json_decref(shown);
    return code;
}

static const cli_option ingest_options[] = {
    {"clip", "NAME", "the clip's name; several FOOTAGE: NAME-1, NAME-2 ...; preset: from the file's name"},
    {"fps", "RATE", "24, 23.976, 24000/1001; preset: from the files"},
    {"encoding", "NAME", "srgb, rec709, linear, acescg, logc3, slog3 ...; preset: from the files"},
    {"owner", "TEXT", "who owns the footage (needed)"},
    {"licence", "TEXT", "the basis on which it is used (needed)"},
    {"training", "allowed|denied", "may models learn from it (needed)"},
    {"permission-source", "TEXT", "the document that permission comes from"},
    {"operations", "LIST", "operations allowed on it, comma-separated; preset: all"},
    {"consents", "JSON", "[{\"performer\",\"reference\",\"scope\"}]"},
    {"tags", "LIST", "camera=A,lens=35,scene=12 ..."},
    {"first-frame", "N", "number of a movie's first frame"},
    {"copy", NULL, "copy the files into the project as well"},
    {"no-duplicate-check", NULL, "do not look for repeated frames"},
    {"json", NULL, "print the clip as JSON; several: an array"},
    {NULL, NULL, NULL}};
const cli_command command_ingest = {"ingest", "PROJECT FOOTAGE...", "record clips: image sequences, folders, movies",
    "The footage is hashed and only read. Interrupted, it goes on where it stopped when repeated.\n"
    "Examples:\n  interpos ingest northwind 'plates/A001.%04d.exr' --clip A001 --fps 24 --encoding acescg --owner \"Northwind Ltd\" \\\n"
    "      --licence production-owned --training allowed\n"
    "  interpos ingest northwind dailies/*.mov --owner \"Northwind Ltd\" --licence production-owned --training denied\n",
    ingest_options, 2, -1, run_ingest};

static int run_permit(const cli_args *args)
{
    const char *to = args->words[2];
    const int32_t training = strcmp(to, "allowed") == 0 ? IPOS_TRAINING_ALLOWED : strcmp(to, "denied") == 0 ? IPOS_TRAINING_DENIED : 0;
    cli_session session;

    if (!training)
        return say_usage("permit: '%s' is neither allowed nor denied", to);
    if (!args_get(args, "by"))
        return say_usage("permit: --by NAME is needed: who decides");
    int code = session_open(&session, args, args->words[0]);
    if (code)
        return code;
    code = say_status(ipos_project_set_training(session.project, args->words[1], training, args_get(args, "by"), args_get(args, "note")));
    if (!code && !progress_is_jsonl())
        printf("training on %s: %s\n", args->words[1], to);
    session_close(&session);
    return code;
}

static const cli_option permit_options[] = {
    {"by", "NAME", "who decides (needed)"}, {"note", "TEXT", "why"}, {NULL, NULL, NULL}};
const cli_command command_permit = {"permit", "PROJECT CLIP allowed|denied", "change a clip's training permission",
    "Example:\n  interpos permit northwind A001 denied --by \"M. Ortiz\" --note \"performer withdrew consent\"\n", permit_options, 3, 3, run_permit};
