/* Stroke files on the way into an operation, and strokes on the way out to people. */
#include "cmd.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool whole(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && end != text && !*end && !errno;
}

/* The first number of "1012,1020-1030"; INT64_MIN if there is none. */
static int64_t first_frame(const char *frames)
{
    char *end;
    const long long first = strtoll(frames ? frames : "", &end, 10);

    return frames && end != frames ? first : INT64_MIN;
}

/* Appends the strokes of "FILE" or "FILE@FRAME". */
static int add_file(const char *word, int64_t frame, json_t *all)
{
    const char *at = strrchr(word, '@');
    char *path = strdup(word), *text = NULL;
    int64_t stated;
    int code;

    if (at && access(word, F_OK) != 0 && whole(at + 1, &stated)) {
        path[at - word] = 0;
        frame = stated;
    }
    json_t *root = take_json(ipos_strokes_read(path, frame, &text), &text, &code);
    if (!code)
        json_array_extend(all, json_object_get(root, "strokes"));
    json_decref(root);
    free(path);
    return code;
}

int strokes_of(const cli_args *args, char **text)
{
    json_t *all = json_array();
    const char *word;
    int code = EXIT_OK;

    for (int at = 0; !code && (word = args_next(args, "stroke", &at));)
        code = add_file(word, first_frame(args_get(args, "frames")), all);
    json_t *root = json_pack("{s:o}", "strokes", all);
    *text = code ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(root);
    return code || *text ? code : EXIT_FAILED;
}

int strokes_print(FILE *file, const json_t *strokes)
{
    json_t *stroke;
    size_t i;

    fputs("{\"strokes\":[", file);
    json_array_foreach((json_t *)strokes, i, stroke) {
        fputs(i ? ",\n" : "\n", file);
        json_dumpf(stroke, file, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    }
    fputs("\n]}\n", file);
    return ferror(file) ? EXIT_FAILED : EXIT_OK;
}
