/* The measuring of the look: its name and settings; in the library and in the engine. */
#include "op.h"

static const ip_option_spec options[] = {
    {.name = "marks", .type = IPOS_OPTION_TEXT, .preset = "",
     .help = "boxes that a person marked on single frames: {\"marks\":[{\"clip\",\"frame\",\"kind\":\"skin|light\",\"box\":[x,y,w,h],\"name\"}]}"},
    {.name = "shots", .type = IPOS_OPTION_INT, .preset = "3", .minimum = 1, .maximum = 1000,
     .help = "how many shots of a clip are measured, the longest ones"},
};

extern const ip_op_spec ip_op_look_spec;
const ip_op_spec ip_op_look_spec = {
    .name = "look",
    .title = "Look",
    .help = "Measures what camera, lens and grade leave in the pictures.",
    .measures = true,
    .options = options,
    .option_count = IP_COUNT(options),
};
