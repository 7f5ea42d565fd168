/* The relighting's name and settings; in the library and in the engine. */
#include "op.h"

static const ip_option_spec options[] = {
    {.name = "light", .type = IPOS_OPTION_CHOICE, .preset = "golden-hour", .choices = "golden-hour,midday,overcast,blue-hour",
     .help = "the new light: sets the sun's elevation and the weather; azimuth and elevation below override it"},
    {.name = "azimuth", .type = IPOS_OPTION_TEXT, .preset = "auto", .unit = "degrees",
     .help = "where the new sun stands: degrees to the right of where the camera looks on the middle frame of the shot, negative to the left, 180 "
             "behind it; auto: the old sun's, or by place, time and heading"},
    {.name = "elevation", .type = IPOS_OPTION_TEXT, .preset = "auto", .unit = "degrees", .help = "of the new sun over the horizon; auto: the light's"},
    {.name = "old_azimuth", .type = IPOS_OPTION_TEXT, .preset = "auto", .unit = "degrees",
     .help = "where the sun of the footage stands, like azimuth; auto: by old_time, else an assumption that the option sun shows for correction"},
    {.name = "old_elevation", .type = IPOS_OPTION_TEXT, .preset = "auto", .unit = "degrees", .help = "of the footage's sun over the horizon"},
    {.name = "old_light", .type = IPOS_OPTION_CHOICE, .preset = "midday", .choices = "golden-hour,midday,overcast,blue-hour",
     .help = "the light of the footage, as light"},
    {.name = "place", .type = IPOS_OPTION_TEXT, .preset = "", .help = "latitude,longitude in degrees, north and east positive: the sun is computed"},
    {.name = "time", .type = IPOS_OPTION_TEXT, .preset = "",
     .help = "date, time and offset from UTC of the new light, e.g. 2024-06-21T19:30+02:00; needs place and heading"},
    {.name = "old_time", .type = IPOS_OPTION_TEXT, .preset = "", .help = "the same for the footage; needs place and heading"},
    {.name = "heading", .type = IPOS_OPTION_TEXT, .preset = "", .unit = "degrees", .help = "where the camera looks, clockwise from north"},
    {.name = "focal", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = 0, .maximum = 1000,
     .help = "focal length over the width of the picture (lens / sensor width, 32 mm on 36 mm: .889); 0: not known, .9 is assumed"},
    {.name = "camera_height", .type = IPOS_OPTION_REAL, .preset = "1.7", .minimum = .05, .maximum = 500, .unit = "metres", .help = "over the ground"},
    {.name = "horizon", .type = IPOS_OPTION_TEXT, .preset = "auto", .help = "row of the horizon, 0 top to 1 bottom; auto: by the geometry, else .5"},
    {.name = "geometry", .type = IPOS_OPTION_CHOICE, .preset = "auto", .choices = "auto,motion,none",
     .help = "where the set's shape comes from: the camera's motion if it shows one, or not at all; motion: fail where it does not"},
    {.name = "camera", .type = IPOS_OPTION_TEXT, .preset = "",
     .help = "the camera's track, brought along: the text of a JSON file (docs/camera.md) or of COLMAP's images.txt; on the command line camera=@FILE. It takes "
             "the place of focal"},
    {.name = "camera_models", .type = IPOS_OPTION_TEXT, .preset = "", .help = "COLMAP only: the text of cameras.txt"},
    {.name = "up", .type = IPOS_OPTION_CHOICE, .preset = "auto", .choices = "auto,y,-y,z,-z",
     .help = "which axis of that world points up; auto: what the JSON says, y for positions, -y for COLMAP"},
    {.name = "metres", .type = IPOS_OPTION_TEXT, .preset = "auto",
     .help = "in a unit of that world; 0: not known, camera_height tells it; auto: what the JSON says, 1 for positions, 0 for COLMAP"},
    {.name = "mesh", .type = IPOS_OPTION_FILE, .preset = "",
     .help = "OBJ or PLY file of the set, in the world of the camera: throws the shadows of both suns; needs camera or position"},
    {.name = "depth", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip of depth in metres (encoding data), numbered like the shot: channel Z of a layer called depth, or without a layer; 0 or over 1e6: nothing there"},
    {.name = "depth_along", .type = IPOS_OPTION_CHOICE, .preset = "axis", .choices = "axis,ray",
     .help = "what depth counts: along the camera's axis, or the distance from the camera (needs camera)"},
    {.name = "position", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip of world positions (encoding data): X, Y, Z (or R, G, B) of a layer called position, or without one; 0,0,0: nothing there. Tells the camera too"},
    {.name = "normals", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip of unit normals (encoding data): X, Y, Z (or R, G, B) of a layer called normal, or without one; -1 to 1; 0,0,0: not known"},
    {.name = "normals_axes", .type = IPOS_OPTION_CHOICE, .preset = "world", .choices = "world,camera",
     .help = "world: of the camera's (or the positions') world; camera: right, up, towards the camera"},
    {.name = "strength", .type = IPOS_OPTION_REAL, .preset = "1", .minimum = 0, .maximum = 1, .help = "0 leaves every bit as it is"},
    {.name = "exposure", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = -8, .maximum = 8, .unit = "stops", .help = "on top of the change"},
    {.name = "lift", .type = IPOS_OPTION_REAL, .preset = "1", .minimum = 0, .maximum = 1, .help = "how far old shadows are taken away"},
    {.name = "grain", .type = IPOS_OPTION_REAL, .preset = "1", .minimum = 0, .maximum = 1,
     .help = "how far the grain of lifted shadows, which the gain makes stronger, is brought to that of what lies around them; where the shot's grain can "
             "be measured"},
    {.name = "shadow", .type = IPOS_OPTION_REAL, .preset = "1", .minimum = 0, .maximum = 1, .help = "how deep new shadows are"},
    {.name = "softness", .type = IPOS_OPTION_REAL, .preset = "4", .minimum = 0, .maximum = 60, .unit = "pixels",
     .help = "blur of new shadows' edges on top of what distance makes soft, of a picture 640 pixels wide; a twentieth of it where a mesh throws them"},
    {.name = "ambient", .type = IPOS_OPTION_REAL, .preset = "1", .minimum = .1, .maximum = 8, .help = "how much light the sky gives, times the usual"},
    {.name = "tint", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = -1, .maximum = 1,
     .help = "of that light: -1 as warm as the sun, 1 as blue as a clear sky"},
    {.name = "glow", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = 0, .maximum = 1,
     .help = "how far a clear sky gets brighter and warmer towards the new sun, and less so where the old one stood; touches nothing more than 90 degrees "
             "from both"},
    {.name = "mirror", .type = IPOS_OPTION_REAL, .preset = "1", .minimum = 0, .maximum = 1,
     .help = "how far panes in walls mirror the new sky and metal poles the new sun, instead of being lit like walls; not with geometry none, and with a mesh"
             " panes only"},
    {.name = "haze", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = 0, .maximum = 1, .help = "veil of the new sun's colour"},
    {.name = "bloom", .type = IPOS_OPTION_REAL, .preset = "0.04", .minimum = 0, .maximum = .5, .help = "share of light that glows around what is bright"},
    {.name = "strokes", .type = IPOS_OPTION_TEXT, .preset = "",
     .help = "what a person painted, on one frame or more, carried through the shot, as the JSON that ipos_strokes_read gives: "
             "{\"strokes\":[{\"kind\":\"add\",\"frame\":1012,\"points\":[[x,y],...],\"width\":30}]}. Kinds: add (a new shadow falls here), remove (none does), "
             "old-add (here is a shadow of the old sun), old-remove (here is none), gobo (the shadow of something off the picture: its outline on "
             "the ground or a wall), protect (keeps its light). A curve that ends where it begins is an area, any other a band"},
    {.name = "protect", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "clip of mattes of what keeps its light (white), numbered like the frames; a single frame holds for all"},
    {.name = "gentle", .type = IPOS_OPTION_REAL, .preset = "0", .minimum = 0, .maximum = 1,
     .help = "how far what protect marks (mattes, strokes) is relit all the same: 0 keeps every bit of it, .4 lets faces follow the light a little"},
    {.name = "reference", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "a take of the production's own in the wanted light, another place will do: the colours of the new sun, shade and sky are led towards its, away "
             "from the formula's by seven tenths of what it shows beyond them and 10 %, and 40 % at most; where the sun stands is still said by the settings above"},
    {.name = "example", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "frames of this shot that somebody relit, numbered like the shot, one or more: they are carried through it; the light's settings do "
             "not count"},
    {.name = "day", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "the same view on other days at the hour of the shot, from a camera that stands: clips, every frame a picture; needs evening"},
    {.name = "evening", .type = IPOS_OPTION_CLIP, .preset = "",
     .help = "the same view in the wanted light, on whatever days; needs day. The light's settings do not count"},
    {.name = "variants", .type = IPOS_OPTION_TEXT, .preset = "all",
     .help = "which results to offer: all, or a comma-separated list of full, gentle, hard, sun, and geometry, which all leaves out: depth, normals, camera and mattes "
             "for other tools; by example taught, gentle; by day and evening days, gentle"},
    {.name = "seed", .type = IPOS_OPTION_INT, .preset = "0", .minimum = 0, .maximum = 1000000000,
     .help = "of what is drawn by chance: the same seed gives the same pictures"},
};

extern const ip_op_spec ip_op_relight_spec;
const ip_op_spec ip_op_relight_spec = {
    .name = "relight",
    .title = "Relighting",
    .help = "Moves a shot outdoors to another time of day: sun, shade and sky, old shadows lifted and new ones cast.",
    .edits = true,
    .options = options,
    .option_count = IP_COUNT(options),
};
