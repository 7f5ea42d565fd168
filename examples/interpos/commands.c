/* The table of commands, in the order in which a production meets them. */
#include "cmd.h"

const cli_command *const cli_commands[] = {
    &command_init, &command_ingest, &command_permit, &command_clips, &command_look, &command_train, &command_models, &command_card, &command_render,
    &command_options, &command_strokes, &command_grade, &command_accept, &command_reject, &command_publish, &command_verify, &command_ledger, &command_operations,
    &command_info, &command_engine, NULL};
