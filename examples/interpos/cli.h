/* The `interpos` command: what its files share. Only the installed headers and jansson, as any program would use them. */
#ifndef CLI_H
#define CLI_H

#include <interpos/interpos.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3, EXIT_CANCELLED = 4, EXIT_ENGINE = 5, EXIT_ALTERED = 6 };

typedef struct cli_option {
    const char *name;  /* without "--" */
    const char *value; /* placeholder for people; NULL: a switch */
    const char *help;
} cli_option;

typedef struct cli_args cli_args;

typedef struct cli_command {
    const char *name, *arguments, *summary, *more;
    const cli_option *options; /* ends with a name of NULL */
    int least, most;           /* positional arguments; most < 0: any number */
    int (*run)(const cli_args *args);
} cli_command;

extern const cli_command *const cli_commands[]; /* NULL-terminated */

/* args.c */
struct cli_args {
    const cli_command *command;
    const char **words; /* positional */
    int word_count;
    const char **names, **values; /* options in the order given */
    int option_count;
};
/* Returns -1 to go on, else the exit code (a usage error, or --help printed). */
int args_parse(cli_args *args, const cli_command *command, int argc, char **argv);
void args_free(cli_args *args);
const char *args_get(const cli_args *args, const char *name); /* last one given; NULL: none */
const char *args_next(const cli_args *args, const char *name, int *at); /* every one, from *at = 0 */
bool args_has(const cli_args *args, const char *name);
/* Number options: false after saying what is wrong. Left alone where the option is not given. */
bool args_int(const cli_args *args, const char *name, int64_t *out);
bool args_real(const cli_args *args, const char *name, double *out);
bool args_rate(const cli_args *args, const char *name, ipos_rational *out);
void args_help(const cli_command *command);

/* session.c: one context and one project for a command. */
typedef struct cli_session {
    ipos_context *context;
    ipos_project *project;
} cli_session;
/* folder NULL: no project. Returns EXIT_OK or an exit code after saying what is wrong. */
int session_open(cli_session *session, const cli_args *args, const char *folder);
void session_close(cli_session *session);
/* "interpos: text" on stderr; returns the exit code for the status. */
int say_status(ipos_status status);
int say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The document of an API call (freed here); NULL after saying what is wrong. A pointer, as the call is an argument beside it. */
json_t *take_json(ipos_status status, char **text, int *code);

/* progress.c */
void progress_start(const cli_args *args);
int32_t progress_report(void *unused, double done, double remaining, const char *stage, const char *json);
void progress_end(void);
bool progress_is_jsonl(void);
/* Ctrl-C stops the work through the library; a second one ends the program. operation may be NULL. */
void interrupt_watch(ipos_operation *operation);

/* show.c */
bool wants_json(const cli_args *args);
/* Prints the document (and frees it) as JSON; with --progress=jsonl as one line {"result": ...}. */
int show_json(json_t *document);
typedef struct table table;
table *table_new(int columns, const char *const *heads);
void table_add(table *rows, const char *format, ...) __attribute__((format(printf, 2, 3))); /* cells between tabs */
void table_print(table *rows); /* and frees */
const char *text_of(const json_t *object, const char *name);  /* "" if absent */
long long int_of(const json_t *object, const char *name);
double real_of(const json_t *object, const char *name);
char *joined(const json_t *array, char *room, size_t size);
char *time_text(const json_t *pair, char room[32]);

#endif
