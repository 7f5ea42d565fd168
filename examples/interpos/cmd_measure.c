/* interpos look */
#include "cmd.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CELL = 32 };

/* "-" where nothing was measured. */
static const char *cell(char room[CELL], const json_t *reading, const char *format, double value)
{
    const char *reason = json_string_value(json_object_get(reading, "reason"));

    if (!reading || (reason && *reason))
        return "-";
    snprintf(room, CELL, format, value);
    return room;
}

/* Standard deviation of green at mid grey, per cent: between the two bins around it. */
static const char *grain_cell(char room[CELL], const json_t *grain)
{
    const json_t *bins = json_object_get(grain, "bins");
    double before_level = 0, before = 0;
    size_t i;
    json_t *bin;

    if (!json_is_true(json_object_get(grain, "measurable")))
        return "-";
    json_array_foreach((json_t *)bins, i, bin) {
        const double level = real_of(bin, "level"), variance = json_number_value(json_array_get(json_object_get(bin, "variance"), 1));
        const double part = i && level > before_level ? (.5 - before_level) / (level - before_level) : 1;
        if (level >= .5 || i + 1 == json_array_size(bins)) {
            snprintf(room, CELL, "%.2f%%", 100 * sqrt(fmax(0, before + fmin(1, fmax(0, part)) * (variance - before))));
            return room;
        }
        before_level = level;
        before = variance;
    }
    return "-";
}

static const char *bloom_cell(char room[CELL], const json_t *bloom)
{
    const json_t *luma = json_object_get(bloom, "luma"), *reading = json_object_get(luma, "reading");

    if (json_is_true(json_object_get(bloom, "strength_known")))
        return cell(room, reading, "%.1f%%", 100 * real_of(luma, "strength"));
    return cell(room, reading, "r=%.1fpx", real_of(luma, "radius"));
}

static const char *white_cell(char room[CELL], const json_t *white)
{
    char blue[CELL];
    const char *text = cell(room, json_object_get(white, "level"), "%.2f", real_of(white, "red"));

    if (text == room) {
        snprintf(blue, sizeof blue, " %.2f", real_of(white, "blue"));
        strncat(room, blue, CELL - strlen(room) - 1);
    }
    return text;
}

static double middle_of(const json_t *three)
{
    return json_number_value(json_array_get(three, 1));
}

static void look_row(table *rows, const char *name, const json_t *entry)
{
    char room[8][CELL];
    const json_t *vignette = json_object_get(entry, "vignette"), *sharp = json_object_get(entry, "sharp"), *tone = json_object_get(entry, "tone");
    const json_t *flicker = json_object_get(entry, "flicker");

    table_add(rows, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", name, grain_cell(room[0], json_object_get(entry, "grain")),
        bloom_cell(room[1], json_object_get(entry, "bloom")),
        cell(room[2], json_object_get(vignette, "reading"), "%.2f", real_of(vignette, "corner")),
        cell(room[3], json_object_get(sharp, "reading"), "%.2f", real_of(sharp, "mtf50")),
        cell(room[4], json_object_get(tone, "reading"), "%.3f", middle_of(json_object_get(tone, "black"))),
        cell(room[5], json_object_get(tone, "reading"), "%.3f", middle_of(json_object_get(tone, "white"))),
        white_cell(room[6], json_object_get(entry, "white")), cell(room[7], json_object_get(flicker, "reading"), "%.2f%%", 100 * real_of(flicker, "rms")));
}

static void say_reason(const char *name, const char *what, const json_t *reading)
{
    const char *reason = json_string_value(json_object_get(reading, "reason"));

    if (reason && *reason)
        printf("%s, %s: not measurable here: %s\n", name, what, reason);
}

static void say_reasons(const char *name, const json_t *entry)
{
    static const char *const plain[] = {"vignette", "sharp", "tone", "flicker"};

    say_reason(name, "grain", json_object_get(entry, "grain"));
    say_reason(name, "bloom", json_object_get(json_object_get(json_object_get(entry, "bloom"), "luma"), "reading"));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        say_reason(name, plain[i], json_object_get(json_object_get(entry, plain[i]), "reading"));
    say_reason(name, "white balance", json_object_get(json_object_get(entry, "white"), "level"));
}

static void show_look(const json_t *look)
{
    static const char *const heads[] = {"clip", "grain at .5", "bloom", "vignette corner", "mtf50", "black", "white", "R/G B/G", "flicker"};
    const json_t *clips = json_object_get(look, "clips"), *tags = json_object_get(look, "tags");
    table *rows = table_new(9, heads);
    char name[160];
    size_t i;
    json_t *entry;

    json_array_foreach((json_t *)clips, i, entry)
        look_row(rows, text_of(entry, "clip"), entry);
    json_array_foreach((json_t *)tags, i, entry) {
        snprintf(name, sizeof name, "tag:%s", text_of(entry, "tag"));
        look_row(rows, name, entry);
    }
    look_row(rows, "all", json_object_get(look, "all"));
    table_print(rows);
    json_array_foreach((json_t *)clips, i, entry)
        say_reasons(text_of(entry, "clip"), entry);
    json_array_foreach(json_object_get(json_object_get(look, "all"), "left_out"), i, entry)
        printf("%s is not part of all: other size or encoding\n", json_string_value(entry));
}

/* FOLDER/all.grain.svg, FOLDER/A001.grain.svg ... */
static int write_plots(const ipos_look *look, const json_t *document, const char *folder)
{
    const json_t *clips = json_object_get(document, "clips");
    int code = EXIT_OK;

    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "interpos: %s: %s\n", folder, strerror(errno));
        return EXIT_FAILED;
    }
    for (size_t i = 0; i <= json_array_size(clips) && code == EXIT_OK; i++) {
        const char *of = i ? text_of(json_array_get(clips, i - 1), "clip") : NULL;
        for (const char *at = ipos_look_plots(); *at && code == EXIT_OK;) {
            char name[32], path[4096], *svg = NULL;
            const size_t length = strcspn(at, ",");
            snprintf(name, sizeof name, "%.*s", (int)length, at);
            snprintf(path, sizeof path, "%s/%s.%s.svg", folder, of ? of : "all", name);
            ipos_status status = ipos_look_plot(look, of, name, &svg);
            code = write_taken(status, &svg, path);
            at += length + (at[length] == ',');
        }
    }
    return code;
}

static int write_files(const cli_args *args, const ipos_look *look, const json_t *document)
{
    char *text = NULL;
    int code = EXIT_OK;

    if (args_get(args, "o")) {
        ipos_status status = ipos_look_json(look, &text);
        code = write_taken(status, &text, args_get(args, "o"));
    }
    if (code == EXIT_OK && args_get(args, "plots"))
        code = write_plots(look, document, args_get(args, "plots"));
    if (code == EXIT_OK && args_get(args, "film-grain")) {
        text = NULL;
        ipos_status status = ipos_look_grain_table(look, args_get(args, "of"), &text);
        code = write_taken(status, &text, args_get(args, "film-grain"));
    }
    return code;
}

static int measure(const cli_args *args, ipos_look **look)
{
    ipos_look_config config = {.struct_size = sizeof config, .clips = args_get(args, "clips")};
    int64_t threads = 0, shots = 0;
    cli_session session;
    char *marks = NULL;

    if (!args_int(args, "threads", &threads) || !args_int(args, "shots", &shots))
        return EXIT_USAGE;
    if (threads < 0 || threads > 1024 || shots < 0 || shots > 1000)
        return say_usage("look: --threads and --shots must not be negative, at most 1024 and 1000");
    config.threads = (int32_t)threads;
    config.shots = (int32_t)shots;
    int code = session_open(&session, args, args->words[0]);
    if (code)
        return code;
    if (args_get(args, "marks") && !(marks = read_text(args_get(args, "marks")))) {
        session_close(&session);
        return EXIT_FAILED;
    }
    config.marks = marks;
    interrupt_watch(NULL);
    code = say_status(ipos_look_measure(session.project, &config, progress_report, NULL, look));
    progress_end();
    free(marks);
    session_close(&session);
    return code;
}

static int open_look(const cli_args *args, ipos_look **look)
{
    char *text = read_text(args_get(args, "from"));
    int code = text ? say_status(ipos_look_from_json(text, look)) : EXIT_FAILED;

    free(text);
    return code;
}

static int run_look(const cli_args *args)
{
    ipos_look *look = NULL;
    char *text = NULL;

    if ((args->word_count == 1) == args_has(args, "from"))
        return say_usage("look: either a PROJECT to measure or --from FILE");
    int code = args_has(args, "from") ? open_look(args, &look) : measure(args, &look);
    if (code)
        return code;
    json_t *document = take_json(ipos_look_json(look, &text), &text, &code);
    if (document)
        code = write_files(args, look, document);
    ipos_look_release(look);
    if (code == EXIT_OK && wants_json(args))
        return show_json(document);
    if (code == EXIT_OK)
        show_look(document);
    json_decref(document);
    return code;
}

static const cli_option look_options[] = {
    {"clips", "A,B", "only these; else every clip whose permission allows it"},
    {"marks", "FILE", "boxes on single frames for skin and light, as JSON"},
    {"shots", "N", "measure the N longest shots of a clip (3)"},
    {"threads", "N", "0: all processors"},
    {"from", "FILE", "a look written with -o, instead of measuring"},
    {"o", "FILE", "write the look there as JSON; nothing is overwritten"},
    {"plots", "FOLDER", "write SVG plots there, of every clip and of all"},
    {"film-grain", "FILE", "write the grain as an AV1 film-grain table"},
    {"of", "CLIP|tag:TAG", "whose grain --film-grain writes; else that of all"},
    {"json", NULL, "print JSON"},
    {NULL, NULL, NULL}};
const cli_command command_look = {"look", "PROJECT [-o FILE] | --from FILE", "measure grain, bloom, vignette, sharpness, tone, white balance, flicker",
    "grain: standard deviation at mid grey, per cent of full scale. bloom: share of the light, or the radius of the halo where lamps\n"
    "are clipped. vignette: gain in the corners. mtf50: cycles a pixel. black, white: of green, in code values. R/G B/G: what is grey\n"
    "reads. flicker: from frame to frame. \"-\": not measurable on this footage; why is listed below the table.\n\nExample:\n"
    "  interpos look northwind -o look.json --plots plots --film-grain grain.tbl\n"
    "  interpos look --from look.json --film-grain night.tbl --of tag:night\n",
    look_options, 0, 1, run_look};
