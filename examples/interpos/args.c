/* Command lines: `--name value`, `--name=value`, `-o value` for names of one letter, switches, `--` before words that begin with a dash. */
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const cli_option common[] = {
    {"engine", "PATH", "use this interpos-engine (absolute path)"},
    {"in-process", NULL, "run the engine inside this process"},
    {"ffmpeg", "PATH", "use this ffmpeg (absolute path)"},
    {"progress", "bar|jsonl|none", "bar on stderr; jsonl: one JSON object a line on stdout; preset: bar on a terminal"},
    {"verbose", NULL, "print the library's log on stderr"},
    {"help", NULL, "print this help"},
    {NULL, NULL, NULL},
};

static const cli_option *find_in(const cli_option *list, const char *name, size_t length)
{
    for (; list && list->name; list++)
        if (strlen(list->name) == length && memcmp(list->name, name, length) == 0)
            return list;
    return NULL;
}

static void print_options(const cli_option *list)
{
    char left[64];

    for (; list && list->name; list++) {
        snprintf(left, sizeof left, "%s%s%s%s", list->name[1] ? "--" : "-", list->name, list->value ? " " : "", list->value ? list->value : "");
        printf("  %-26s %s\n", left, list->help);
    }
}

void args_help(const cli_command *command)
{
    printf("interpos %s %s\n\n%s\n", command->name, command->arguments, command->summary);
    if (command->options && command->options->name) {
        printf("\nOptions:\n");
        print_options(command->options);
    }
    printf("\nFor every command:\n");
    print_options(common);
    if (*command->more)
        printf("\n%s", command->more);
}

static int usage(const cli_command *command, const char *problem, const char *word)
{
    return say_usage("%s: %s '%s': see `interpos %s --help`", command->name, problem, word, command->name);
}

static int take_option(cli_args *args, int argc, char **argv, int *at)
{
    const char *word = argv[*at] + (argv[*at][1] == '-' ? 2 : 1), *end = strchrnul(word, '=');
    const size_t length = (size_t)(end - word);
    const cli_option *option = find_in(args->command->options, word, length);

    if (!option)
        option = find_in(common, word, length);
    if (!option)
        return usage(args->command, "unknown option", argv[*at]);
    if (!option->value && *end)
        return usage(args->command, "takes no value:", argv[*at]);
    const char *value = "";
    if (option->value && *end)
        value = end + 1;
    else if (option->value && *at + 1 < argc)
        value = argv[++*at];
    else if (option->value)
        return usage(args->command, "needs a value:", argv[*at]);
    args->names[args->option_count] = option->name;
    args->values[args->option_count++] = value;
    return -1;
}

/* "-o" where the command has such an option; other words with one dash are arguments. */
static bool is_letter(const cli_command *command, const char *word)
{
    return word[1] && !word[2] && find_in(command->options, word + 1, 1);
}

static int take_words(cli_args *args, int argc, char **argv)
{
    bool options = true;

    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)) {
            args_help(args->command);
            return EXIT_OK;
        } else if (options && argv[i][0] == '-' && (argv[i][1] == '-' || is_letter(args->command, argv[i]))) {
            int code = take_option(args, argc, argv, &i);
            if (code >= 0)
                return code;
        } else {
            args->words[args->word_count++] = argv[i];
        }
    }
    if (args->word_count < args->command->least)
        return say_usage("%s: something is missing: interpos %s %s", args->command->name, args->command->name, args->command->arguments);
    if (args->command->most >= 0 && args->word_count > args->command->most)
        return usage(args->command, "one argument too many:", args->words[args->command->most]);
    return -1;
}

int args_parse(cli_args *args, const cli_command *command, int argc, char **argv)
{
    const size_t room = (size_t)argc + 1;

    *args = (cli_args){.command = command};
    args->words = calloc(room, sizeof *args->words);
    args->names = calloc(room, sizeof *args->names);
    args->values = calloc(room, sizeof *args->values);
    if (!args->words || !args->names || !args->values) {
        fprintf(stderr, "interpos: out of memory\n");
        return EXIT_FAILED;
    }
    return take_words(args, argc, argv);
}

void args_free(cli_args *args)
{
    free(args->words);
    free(args->names);
    free(args->values);
}

const char *args_next(const cli_args *args, const char *name, int *at)
{
    while (*at < args->option_count) {
        const int i = (*at)++;
        if (strcmp(args->names[i], name) == 0)
            return args->values[i];
    }
    return NULL;
}

const char *args_get(const cli_args *args, const char *name)
{
    const char *found = NULL, *value;

    for (int at = 0; (value = args_next(args, name, &at));)
        found = value;
    return found;
}

bool args_has(const cli_args *args, const char *name)
{
    return args_get(args, name) != NULL;
}

bool args_int(const cli_args *args, const char *name, int64_t *out)
{
    const char *text = args_get(args, name);
    char *end;

    if (!text)
        return true;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (!*text || *end || errno) {
        say_usage("--%s: '%s' is not a whole number", name, text);
        return false;
    }
    *out = value;
    return true;
}

bool args_real(const cli_args *args, const char *name, double *out)
{
    const char *text = args_get(args, name);
    char *end;

    if (!text)
        return true;
    const double value = strtod(text, &end);
    if (!*text || *end) {
        say_usage("--%s: '%s' is not a number", name, text);
        return false;
    }
    *out = value;
    return true;
}

bool args_rate(const cli_args *args, const char *name, ipos_rational *out)
{
    static const struct {
        const char *text;
        int num;
    } broadcast[] = {{"23.976", 24000}, {"23.98", 24000}, {"29.97", 30000}, {"47.952", 48000}, {"59.94", 60000}, {"119.88", 120000}};
    const char *text = args_get(args, name);
    long long num, den = 1;
    int used = 0;

    if (!text)
        return true;
    for (size_t i = 0; i < sizeof broadcast / sizeof *broadcast; i++)
        if (strcmp(text, broadcast[i].text) == 0) {
            *out = (ipos_rational){broadcast[i].num, 1001};
            return true;
        }
    if ((sscanf(text, "%9lld/%9lld%n", &num, &den, &used) == 2 && used && !text[used] && num > 0 && den > 0)
        || (den = 1, used = 0, sscanf(text, "%9lld%n", &num, &used) == 1 && used && !text[used] && num > 0)) {
        *out = (ipos_rational){num, den};
        return true;
    }
    double value = 0;
    if (!args_real(args, name, &value))
        return false;
    if (!(value > 0 && value < 100000)) {
        say_usage("--%s: '%s' is not a frame rate: give e.g. 24, 23.976 or 24000/1001", name, text);
        return false;
    }
    *out = (ipos_rational){(int64_t)(value * 1000 + .5), 1000};
    return true;
}
