/* interpos grade */
#include "cmd.h"
#include <stdlib.h>

static int run_grade(const cli_args *args)
{
    static const char *const formats[] = {"cdl", "cube"};
    cli_session session;
    char *text = NULL;
    int code;

    if (!args_get(args, "cdl") && !args_get(args, "cube"))
        return say_usage("grade: say where to write it: --cdl FILE, --cube FILE, or both");
    if ((code = session_open(&session, args, args->words[0])))
        return code;
    json_t *list = take_json(ipos_project_options(session.project, args->words[1], &text), &text, &code);
    session_close(&session);
    if (code)
        return code;
    char *details = json_dumps(json_object_get(json_array_get(list, 0), "details"), JSON_COMPACT);
    json_decref(list);
    const size_t shot = args_get(args, "shot") ? strtoul(args_get(args, "shot"), NULL, 10) : 0;
    for (size_t i = 0; i < 2 && !code; i++) {
        const char *path = args_get(args, formats[i]);
        if (!path)
            continue;
        ipos_status status = ipos_look_grade(details ? details : "", shot, formats[i], &text);
        code = write_taken(status, &text, path);
        text = NULL;
    }
    free(details);
    return code;
}

static const cli_option grade_options[] = {
    {"cdl", "FILE", "write the nearest ASC CDL"},
    {"cube", "FILE", "write the grade as a .cube table of 33^3"},
    {"shot", "N", "which of the option's shots, counted from 0; preset: the first"},
    {NULL, NULL, NULL}};
const cli_command command_grade = {"grade", "PROJECT OPTION", "write the grade that continuity found, for a colourist",
    "Example:\n  interpos grade northwind o7 --cdl A002.cdl --cube A002.cube\n", grade_options, 2, 2, run_grade};
