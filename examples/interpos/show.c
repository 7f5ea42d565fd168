/* Tables for people, JSON for programs. */
#include "cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 12 };

struct table {
    int columns;
    char **cells;
    size_t count, room;
    size_t width[MOST_COLUMNS];
};

bool wants_json(const cli_args *args)
{
    return args_has(args, "json") || progress_is_jsonl();
}

int show_json(json_t *document)
{
    if (progress_is_jsonl()) {
        document = json_pack("{s:o}", "result", document);
        json_dumpf(document, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    } else {
        json_dumpf(document, stdout, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    }
    putchar('\n');
    json_decref(document);
    return EXIT_OK;
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void add_cell(table *rows, const char *text, size_t length)
{
    if (rows->count == rows->room) {
        rows->room = rows->room ? rows->room * 2 : 64;
        char **grown = realloc(rows->cells, rows->room * sizeof *grown);
        if (!grown)
            exit(EXIT_FAILED);
        rows->cells = grown;
    }
    char *cell = strndup(text, length);
    if (!cell)
        exit(EXIT_FAILED);
    const size_t column = rows->count % (size_t)rows->columns, width = width_of(cell);
    rows->cells[rows->count++] = cell;
    if (width > rows->width[column])
        rows->width[column] = width;
}

table *table_new(int columns, const char *const *heads)
{
    table *rows = calloc(1, sizeof *rows);

    if (!rows || columns > MOST_COLUMNS)
        exit(EXIT_FAILED);
    rows->columns = columns;
    for (int i = 0; i < columns; i++)
        add_cell(rows, heads[i], strlen(heads[i]));
    return rows;
}

void table_add(table *rows, const char *format, ...)
{
    char *line = NULL;
    va_list list;

    va_start(list, format);
    if (vasprintf(&line, format, list) < 0)
        exit(EXIT_FAILED);
    va_end(list);
    const char *at = line;
    for (int i = 0; i < rows->columns; i++) {
        const char *end = strchrnul(at, '\t');
        add_cell(rows, at, (size_t)(end - at));
        at = *end ? end + 1 : end;
    }
    free(line);
}

void table_print(table *rows)
{
    const size_t columns = (size_t)rows->columns;

    for (size_t i = 0; i < rows->count; i++) {
        const size_t column = i % columns;
        fputs(rows->cells[i], stdout);
        if (column + 1 == columns)
            putchar('\n');
        else
            for (size_t pad = width_of(rows->cells[i]); pad < rows->width[column] + 2; pad++)
                putchar(' ');
        free(rows->cells[i]);
    }
    free(rows->cells);
    free(rows);
}

const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

long long int_of(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

double real_of(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

char *joined(const json_t *array, char *room, size_t size)
{
    size_t i, used = 0;
    json_t *entry;

    room[0] = '\0';
    json_array_foreach((json_t *)array, i, entry) {
        const int more = snprintf(room + used, size - used, "%s%s", i ? "," : "", json_is_string(entry) ? json_string_value(entry) : "?");
        if (more < 0 || (used += (size_t)more) >= size)
            break;
    }
    return room;
}

char *time_text(const json_t *pair, char room[32])
{
    const long long num = json_integer_value(json_array_get(pair, 0)), den = json_integer_value(json_array_get(pair, 1));

    if (den == 1)
        snprintf(room, 32, "%lld", num);
    else
        snprintf(room, 32, "%lld/%lld", num, den);
    return room;
}
