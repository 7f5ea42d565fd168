#include "op.h"

static const ip_option_spec options[] = {
    {"how", "what goes wrong", "", "nothing,abort,crash,hang,stop,garbage,exit,giant,cut,offset,size,reach,samples,huge,serial,reversed,flood,"
        "allocate,print,leak", "nothing", IPOS_OPTION_CHOICE, 0, 0},
    {"after", "steps before that", "", "", "2", IPOS_OPTION_INT, 0, 1000000},
    {"pause", "length of a step", "ms", "", "0", IPOS_OPTION_INT, 0, 10000},
};

const ip_op_spec ip_op_fault_spec = {
    .name = "fault",
    .title = "Fault",
    .help = "Goes wrong in the way asked for.",
    .trainable = true,
    .options = options,
    .option_count = IP_COUNT(options),
};
