/* The wire removal's name and settings; in the library and in the engine. */
#include "op.h"

static const ip_option_spec options[] = {
    {.name = "strokes", .type = IPOS_OPTION_TEXT, .preset = "",
     .help = "one rough line along every wire on one frame, more frames where it helps, as the JSON that ipos_strokes_read gives: "
             "{\"strokes\":[{\"wire\":\"left\",\"frame\":1012,\"points\":[[x,y],...]}]}"},
    {.name = "mode", .type = IPOS_OPTION_CHOICE, .preset = "remove", .choices = "remove,propose",
     .help = "remove what was stroked or painted; or propose strokes for what looks like a wire and change nothing"},
    {.name = "matte", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip of painted mattes (white: to be removed), numbered like the frames; frames it holds are not tracked, wires on the others "
             "are followed from it where there are no strokes"},
    {.name = "holdout", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip of mattes of what must not be touched (white), numbered like the frames; a single frame holds for all"},
    {.name = "clean_plate", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip without the wires, any camera move that can be registered: looked at where the shot itself never shows the background"},
    {.name = "takes", .type = IPOS_OPTION_CLIP, .preset = "", .help = "other takes of the same set-up, looked at after the shot itself"},
    {.name = "variants", .type = IPOS_OPTION_TEXT, .preset = "all",
     .help = "which results to offer: all, or a comma-separated list of standard, learned, grain, wide, near, matte"},
    {.name = "reach", .type = IPOS_OPTION_INT, .preset = "12", .minimum = 1, .maximum = 24, .unit = "frames",
     .help = "how far before and after a frame its background is looked for; beyond 7 only where it was not seen nearer"},
    {.name = "dilate", .type = IPOS_OPTION_INT, .preset = "2", .minimum = 0, .maximum = 40, .unit = "pixels",
     .help = "how much wider than the wire's own matte is repaired; the variant wide takes two more"},
    {.name = "threshold", .type = IPOS_OPTION_REAL, .preset = "0.35", .minimum = 0.05, .maximum = 0.95,
     .help = "how sure the detector must be of a piece of wire before it is removed"},
    {.name = "tune", .type = IPOS_OPTION_INT, .preset = "-1", .minimum = -1, .maximum = 20000, .unit = "steps",
     .help = "training on this shot with the strokes as examples before it is tracked; needs the clip's permission for training; -1: 800 with a "
             "model, none without; 0: none"},
    {.name = "gate", .type = IPOS_OPTION_BOOL, .preset = "1", .minimum = 0, .maximum = 1,
     .help = "fill the same holes beside the wire, where the truth is known, to rank the results and to keep a network out that does not help"},
    {.name = "seed", .type = IPOS_OPTION_INT, .preset = "0", .minimum = 0, .maximum = 1000000000,
     .help = "of grain and training: the same seed gives the same pictures"},
    {.name = "device", .type = IPOS_OPTION_TEXT, .preset = "auto",
     .help = "where networks run: auto, cpu, cuda, or cuda:1 and so on; all else runs on the processor"},
};

extern const ip_op_spec ip_op_wires_spec;
const ip_op_spec ip_op_wires_spec = {
    .name = "wires",
    .title = "Wire removal",
    .help = "Takes stunt wires and rigging out of a shot, from one rough stroke a wire.",
    .trainable = true,
    .edits = true,
    .options = options,
    .option_count = IP_COUNT(options),
};
