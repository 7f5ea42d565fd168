/* The commands. */
#ifndef CMD_H
#define CMD_H

#include "cli.h"

extern const cli_command command_init, command_ingest, command_permit, command_clips, command_train, command_models, command_card,
    command_render, command_options, command_accept, command_reject, command_publish, command_verify, command_ledger,
    command_operations, command_info, command_engine;

#endif
