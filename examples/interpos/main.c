/* interpos: from a folder of dailies to an accepted frame, on the command line. */
#include "cli.h"
#include <string.h>

static const char exit_codes[] =
    "Exit codes: 0 done; 1 failed; 2 wrong use or a value that is not allowed; 3 refused: no permission, or not accepted;\n"
    "4 stopped (Ctrl-C); 5 the engine failed; 6 a file or the ledger was altered.\n";

static void print_help(void)
{
    printf("interpos: learn from a production's own dailies, make the frames it lacks\n\nUse: interpos COMMAND ...\n\n");
    for (const cli_command *const *command = cli_commands; *command; command++)
        printf("  %-11s %s\n", (*command)->name, (*command)->summary);
    printf("\n`interpos COMMAND --help` explains a command, with examples. `interpos --version` says which library is in use.\n"
           "Text goes to stdout, problems and the progress bar to stderr; --json prints documents, --progress=jsonl one JSON\n"
           "object a line on stdout, the result last as {\"result\": ...}.\n\n%s", exit_codes);
}

static const cli_command *find(const char *name)
{
    for (const cli_command *const *command = cli_commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

static int check_progress(const cli_args *args)
{
    const char *how = args_get(args, "progress");

    if (how && strcmp(how, "bar") != 0 && strcmp(how, "jsonl") != 0 && strcmp(how, "none") != 0)
        return say_usage("--progress: '%s' is not one of bar, jsonl, none", how);
    progress_start(args);
    return -1;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--version") == 0) {
        printf("interpos %s\n", ipos_version_text());
        return EXIT_OK;
    }
    if (strcmp(name, "help") == 0 && argc > 2 && find(argv[2])) {
        args_help(find(argv[2]));
        return EXIT_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help();
        return EXIT_OK;
    }
    const cli_command *command = find(name);
    if (!command)
        return *name ? say_usage("'%s' is not a command: see `interpos --help`", name) : say_usage("which command? see `interpos --help`");
    cli_args args;
    int code = args_parse(&args, command, argc - 2, argv + 2);
    if (code < 0)
        code = check_progress(&args);
    if (code < 0)
        code = command->run(&args);
    args_free(&args);
    progress_end();
    if (fflush(stdout) != 0 || ferror(stdout))
        code = code ? code : EXIT_FAILED;
    return code;
}
