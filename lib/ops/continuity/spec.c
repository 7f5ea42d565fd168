/* Continuity's name and settings; in the library and in the engine. */
#include "op.h"

static const ip_option_spec options[] = {
    {.name = "mode", .type = IPOS_OPTION_CHOICE, .preset = "match", .choices = "match,deflicker,report,patch,texture",
     .help = "match the shot to a reference; take exposure flicker and rolling bands out; report what differs from another take; patch: carry "
             "what the matte covers over from another take or frame; or texture: take grain, bloom and vignette out, or put them in"},
    {.name = "reference", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip to match, to compare with, or to patch from; without one the clip itself, at reference_frames"},
    {.name = "reference_frames", .type = IPOS_OPTION_TEXT, .preset = "",
     .help = "frames of the reference: 1012, or first-last 1001-1060; preset: all. patch and report lay the first on the first frame asked for, and "
             "so on; a single one serves all; report without them looks for the frame that shows most of the same"},
    {.name = "look", .type = IPOS_OPTION_TEXT, .preset = "",
     .help = "match without a reference: a measured look (the document of ipos_look_json) whose white balance, exposure, contrast and "
             "saturation are approached; always a suggestion"},
    {.name = "look_of", .type = IPOS_OPTION_TEXT, .preset = "",
     .help = "which part of the look: a clip's name, tag: and a tag, or nothing for the whole production"},
    {.name = "graded", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "match: clips of the production that look as they should, four shots at least, in the shot's encoding; where shot and reference show nothing in common the "
             "suggestion is learned from them, if that does better on those it did not see"},
    {.name = "strength", .type = IPOS_OPTION_REAL, .preset = "1", .minimum = 0, .maximum = 1,
     .help = "how far to go: of a match or of the flicker's removal; 0 changes nothing"},
    {.name = "texture", .type = IPOS_OPTION_BOOL, .preset = "1", .minimum = 0, .maximum = 1,
     .help = "match grain, sharpness and bloom too, where both shots show them and they differ"},
    {.name = "local", .type = IPOS_OPTION_BOOL, .preset = "1", .minimum = 0, .maximum = 1,
     .help = "match: offer a variant that also corrects what is left from place to place, where both shots show the same and it holds on parts not learned from"},
    {.name = "bands", .type = IPOS_OPTION_BOOL, .preset = "1", .minimum = 0, .maximum = 1,
     .help = "deflicker: rolling bands of rows too, not the whole picture's exposure alone"},
    {.name = "drift", .type = IPOS_OPTION_BOOL, .preset = "0", .minimum = 0, .maximum = 1,
     .help = "deflicker: offer a variant that levels slow drift of exposure too; that takes fades out as well"},
    {.name = "degrain", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = 0, .maximum = 1, .help = "texture: share of the shot's grain to take out"},
    {.name = "regrain", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = 0, .maximum = 2,
     .help = "texture: new grain like the reference's, or like the shot's own; 1: as strong"},
    {.name = "bloom", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = -1, .maximum = 1,
     .help = "texture: -1 takes the shot's bloom out, 1 puts the reference's in, or the shot's own once more; where its strength can be measured"},
    {.name = "vignette", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = -1, .maximum = 1,
     .help = "texture: -1 takes the shot's vignette out, 1 puts the reference's in, or the shot's own once more"},
    {.name = "matte", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip of mattes of what may change (white), numbered like the frames; a single frame holds for all. patch: what is carried over; needed"},
    {.name = "holdout", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip of mattes of what must not be touched (white), numbered like the frames; a single frame holds for all"},
    {.name = "seed", .type = IPOS_OPTION_INT, .preset = "0", .minimum = 0, .maximum = 1000000000, .help = "of grain: the same seed gives the same pictures"},
};

extern const ip_op_spec ip_op_continuity_spec;
const ip_op_spec ip_op_continuity_spec = {
    .name = "continuity",
    .title = "Continuity",
    .help = "Brings a shot to the look of another, takes flicker out, and shows and mends what differs between takes.",
    .edits = true,
    .options = options,
    .option_count = IP_COUNT(options),
};
