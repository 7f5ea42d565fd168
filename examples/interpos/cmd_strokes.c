/* interpos strokes */
#include "cmd.h"
#include <errno.h>
#include <string.h>

/* What a stroke file may hold of a curve; what else the operation notes stays behind. */
static json_t *drawable(const json_t *curve)
{
    static const char *const members[] = {"wire", "frame", "kind", "points", "width", "confidence"};
    json_t *stroke = json_object();

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_object_get(curve, members[i]))
            json_object_set(stroke, members[i], json_object_get(curve, members[i]));
    return stroke;
}

/* The curves in an option's details: a list, or a document with one. NULL: none. */
static json_t *strokes_in(const json_t *option)
{
    const json_t *found = json_object_get(json_object_get(option, "details"), "strokes");
    json_t *list = json_array(), *curve;
    size_t i;

    if (json_is_object(found))
        found = json_object_get(found, "strokes");
    json_array_foreach((json_t *)found, i, curve)
        json_array_append_new(list, drawable(curve));
    if (json_array_size(list))
        return list;
    json_decref(list);
    return NULL;
}

/* Never over a file: it may be the one in which a person has corrected curves. */
static int write_new(const char *path, const json_t *strokes)
{
    FILE *file = fopen(path, "wxe");

    if (!file) {
        fprintf(stderr, "interpos: %s: %s\n", path, errno == EEXIST ? "exists: nothing is overwritten, choose another name" : strerror(errno));
        return EXIT_FAILED;
    }
    int code = strokes_print(file, strokes);
    if (fclose(file) != 0)
        code = EXIT_FAILED;
    if (code)
        fprintf(stderr, "interpos: %s: writing failed\n", path);
    return code;
}

static int run_strokes(const cli_args *args)
{
    cli_session session;
    char *text = NULL;
    int code = session_open(&session, args, args->words[0]);

    if (code)
        return code;
    json_t *list = take_json(ipos_project_options(session.project, args->words[1], &text), &text, &code);
    session_close(&session);
    if (code)
        return code;
    json_t *strokes = strokes_in(json_array_get(list, 0));
    json_decref(list);
    if (!strokes) {
        fprintf(stderr, "interpos: option %s holds no strokes: its operation followed none and proposes none\n", args->words[1]);
        return EXIT_FAILED;
    }
    if (args_get(args, "o"))
        code = write_new(args_get(args, "o"), strokes);
    else if (progress_is_jsonl())
        return show_json(json_pack("{s:o}", "strokes", strokes));
    else
        code = strokes_print(stdout, strokes);
    json_decref(strokes);
    return code;
}

static const cli_option strokes_options[] = {{"o", "FILE", "write them there; nothing is overwritten"}, {NULL, NULL, NULL}};
const cli_command command_strokes = {"strokes", "PROJECT OPTION [-o FILE]", "print the curves that an option followed or proposes, to confirm or correct",
    "One curve a line; correct, add or remove some, and hand them back.\n\nExample:\n  interpos strokes northwind o7 -o wires.json\n"
    "  interpos render northwind --operation wires --clip A001 --frames 1001-1024 --stroke wires.json\n",
    strokes_options, 2, 2, run_strokes};
