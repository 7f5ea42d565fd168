/* interpos accept, reject, publish */
#include "cmd.h"
#include <string.h>

static int decide(const cli_args *args, bool accept)
{
    const char *by = args_get(args, "by"), *note = args_get(args, "note");
    cli_session session;

    if (!by)
        return say_usage("%s: --by NAME is needed: a named person decides", args->command->name);
    int code = session_open(&session, args, args->words[0]);
    if (code)
        return code;
    for (int i = 1; i < args->word_count && !code; i++) {
        code = say_status(accept ? ipos_option_accept(session.project, args->words[i], by, note)
                                 : ipos_option_reject(session.project, args->words[i], by, note));
        if (!code && !progress_is_jsonl())
            printf("%s %s by %s\n", args->words[i], accept ? "accepted" : "rejected", by);
    }
    if (!code && accept && !progress_is_jsonl())
        printf("next: interpos publish %s %s OUTPUT\n", args->words[0], args->words[1]);
    session_close(&session);
    return code;
}

static int run_accept(const cli_args *args)
{
    return decide(args, true);
}

static int run_reject(const cli_args *args)
{
    return decide(args, false);
}

static const cli_option decide_options[] = {
    {"by", "NAME", "who decides (needed)"}, {"note", "TEXT", "why"}, {NULL, NULL, NULL}};
const cli_command command_accept = {"accept", "PROJECT OPTION...", "a named person accepts an option",
    "Example:\n  interpos accept northwind o3 --by \"M. Ortiz\" --note \"hand reads well\"\n", decide_options, 2, -1, run_accept};
const cli_command command_reject = {"reject", "PROJECT OPTION...", "a named person rejects an option",
    "Example:\n  interpos reject northwind o1 o2 --by \"M. Ortiz\"\n", decide_options, 2, -1, run_reject};

static int run_publish(const cli_args *args)
{
    cli_session session;
    char *text = NULL;
    size_t i;
    json_t *entry;
    int code = session_open(&session, args, args->words[0]);

    if (code)
        return code;
    interrupt_watch(NULL);
    json_t *report = take_json(ipos_option_publish(session.project, args->words[1], args->words[2], progress_report, NULL, &text), &text,
        &code);
    progress_end();
    session_close(&session);
    if (code)
        return code;
    if (wants_json(args))
        return show_json(report);
    json_array_foreach(json_object_get(report, "files"), i, entry)
        printf("%s\n", text_of(entry, "path"));
    json_decref(report);
    return EXIT_OK;
}

static const cli_option publish_options[] = {{"json", NULL, "print the files and their hashes as JSON"}, {NULL, NULL, NULL}};
const cli_command command_publish = {"publish", "PROJECT OPTION OUTPUT", "write an accepted option's frames",
    "OUTPUT is a folder, a pattern such as out.%04d.exr, a file for one frame, or a movie (.mkv lossless, .mov to look at).\n"
    "Format, metadata and numbering are the source's. Footage that has changed since is refused. Nothing is overwritten; repeating an interrupted publish finishes it.\n"
    "Example:\n  interpos publish northwind o3 /deliveries/A001\n", publish_options, 3, 3, run_publish};
