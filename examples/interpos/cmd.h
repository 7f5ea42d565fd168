/* The commands. */
#ifndef CMD_H
#define CMD_H

#include "cli.h"

extern const cli_command command_init, command_ingest, command_permit, command_clips, command_look, command_grade, command_train, command_models, command_card,
    command_render, command_options, command_strokes, command_accept, command_reject, command_publish, command_verify, command_ledger,
    command_operations, command_info, command_engine;

/* cmd_options.c */
void show_options(const json_t *list); /* as a table */
void show_changes(const json_t *list); /* what reports found, frame by frame, and why shots were left as they are */
void show_lost(const json_t *list); /* a line for every run of frames where an option lost what it followed */

/* files.c: whole text files. NULL, or an exit code, after saying what is wrong. */
char *read_text(const char *path); /* free */
int write_text(const char *path, const char *text); /* never over a file */
int write_taken(ipos_status status, char **text, const char *path); /* the text of an API call, which it frees */

/* strokes.c: --stroke files of args as the setting "strokes" (free), or an exit code after saying what is wrong. */
int strokes_of(const cli_args *args, char **text);
/* The document people edit: one stroke a line. */
int strokes_print(FILE *file, const json_t *strokes);

#endif
