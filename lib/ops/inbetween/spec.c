/* The in-between's name and settings; in the library and in the engine. */
#include "op.h"

static const ip_option_spec options[] = {
    {.name = "variants", .type = IPOS_OPTION_TEXT, .preset = "all",
     .help = "which methods to offer: all, or a comma-separated list of gated, learned, full, plain, average"},
    {.name = "gate", .type = IPOS_OPTION_BOOL, .preset = "1", .minimum = 0, .maximum = 1,
     .help = "measure every method on the known neighbours (each is predicted from its own) and rank by the result"},
    {.name = "trajectory", .type = IPOS_OPTION_CHOICE, .preset = "auto", .choices = "auto,straight,half,curved",
     .help = "path of moving things between the frames: as measured on the neighbours, straight, or curved through frames further out"},
    {.name = "grain", .type = IPOS_OPTION_BOOL, .preset = "0", .minimum = 0, .maximum = 1,
     .help = "give made frames the shot's grain, as much as they lack, where it can be measured on the known frames; scores are without it"},
    {.name = "seed", .type = IPOS_OPTION_INT, .preset = "0", .minimum = 0, .maximum = 1000000000, .help = "of the grain: the same seed gives the same pictures"},
    {.name = "device", .type = IPOS_OPTION_TEXT, .preset = "auto",
     .help = "where the model's network runs: auto, cpu, cuda, or cuda:1 and so on; all else runs on the processor"},
    {.name = "edges", .type = IPOS_OPTION_CHOICE, .preset = "refuse", .choices = "refuse,hold",
     .help = "frames before the first or after the last known frame of their shot: refuse, or hold the nearest frame"},
};

extern const ip_op_spec ip_op_inbetween_spec;
const ip_op_spec ip_op_inbetween_spec = {
    .name = "inbetween",
    .title = "In-between frames",
    .help = "Makes frames that were never shot or were damaged, at any time between two frames of a shot.",
    .trainable = true,
    .options = options,
    .option_count = IP_COUNT(options),
};
