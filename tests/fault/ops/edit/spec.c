#include "op.h"

static const ip_option_spec options[] = {
    {"box", "what is inverted: x,y,width,height", "pixels", "", "8,8,16,12", IPOS_OPTION_TEXT, 0, 0},
    {"strokes", "handed back as found", "", "", "", IPOS_OPTION_TEXT, 0, 0},
    {"matte", "a clip that is read beside", "", "", "", IPOS_OPTION_CLIP, 0, 0},
    {"takes", "clips that are read beside", "", "", "", IPOS_OPTION_CLIP, 0, 0},
    {"lie", "what it does that it must not", "", "nothing,outside,window,unread,unasked,half,bare", "nothing", IPOS_OPTION_CHOICE, 0, 0},
};

const ip_op_spec ip_op_edit_spec = {
    .name = "edit",
    .title = "Edit",
    .help = "Inverts a rectangle of every frame asked for.",
    .options = options,
    .option_count = IP_COUNT(options),
    .edits = true,
};
