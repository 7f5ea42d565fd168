/* interpos options, and the table of options that others print too */
#include "cmd.h"
#include <stdlib.h>
#include <string.h>

static double mean_confidence(const json_t *option)
{
    const json_t *frames = json_object_get(option, "frames");
    double sum = 0;
    size_t i;
    json_t *entry;

    json_array_foreach((json_t *)frames, i, entry)
        sum += real_of(entry, "confidence");
    return i ? sum / (double)i : 0;
}

static void option_row(table *rows, const json_t *option)
{
    const json_t *frames = json_object_get(option, "frames"), *decision = json_object_get(option, "decision");
    const size_t count = json_array_size(frames);
    char first[32], last[32], times[96], score[32] = "-";

    time_text(json_object_get(json_array_get(frames, 0), "time"), first);
    time_text(json_object_get(json_array_get(frames, count ? count - 1 : 0), "time"), last);
    if (count > 1)
        snprintf(times, sizeof times, "%s..%s (%zu)", first, last, count);
    else
        snprintf(times, sizeof times, "%s", first);
    if (json_is_number(json_object_get(option, "score")) && real_of(option, "score") >= 0)
        snprintf(score, sizeof score, "%.2f", real_of(option, "score"));
    table_add(rows, "%s\t%s\t%s\t%s\t%s\t%.2f\t%s%s%s\t%s", text_of(option, "id"), text_of(option, "clip"), times,
        text_of(option, "variant"), score, mean_confidence(option), text_of(option, "state"), json_is_object(decision) ? " by " : "",
        text_of(decision, "by"), text_of(option, "sheet"));
}

void show_options(const json_t *list)
{
    static const char *const heads[] = {"option", "clip", "frames", "variant", "score dB", "confidence", "state", "sheet"};
    table *rows = table_new(8, heads);
    json_t *option;
    size_t i;

    json_array_foreach(list, i, option)
        option_row(rows, option);
    table_print(rows);
}

static void show_lost_of(const json_t *option)
{
    json_t *range;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(option, "details"), "lost"), i, range) {
        const long long first = int_of(range, "first"), last = int_of(range, "last");
        char frames[64];
        if (first == last)
            snprintf(frames, sizeof frames, "frame %lld", first);
        else
            snprintf(frames, sizeof frames, "frames %lld-%lld", first, last);
        const char *wire = text_of(range, "wire"), *quote = *wire ? "'" : "";
        printf("%s: %s%s%s is lost on %s: a stroke drawn there would help: interpos render ... --stroke FILE@%lld\n", text_of(option, "id"),
            quote, *wire ? wire : "a curve without a name", quote, frames, first);
    }
}

void show_lost(const json_t *list)
{
    json_t *option;
    size_t i;

    json_array_foreach((json_t *)list, i, option)
        show_lost_of(option);
}

static double number_in(const json_t *list, size_t index)
{
    return json_number_value(json_array_get(list, index));
}

/* One comparison of a report: the whole, then place by place, most important first. */
static void show_report(const char *id, const json_t *report)
{
    static const char *const heads[] = {"  rank", "what", "at", "size", "dE mean", "dE most", "stops"};
    const json_t *reading = json_object_get(report, "reading");
    const char *reason = text_of(reading, "reason");
    json_t *regions = json_object_get(report, "regions"), *region;
    size_t i;

    printf("%s: frame %lld against frame %lld: ", id, int_of(report, "frame"), int_of(report, "reference_frame"));
    if (*reason) {
        printf("not measurable here: %s\n", reason);
        return;
    }
    printf("exposure %+.2f stops, R/G x%.3f, B/G x%.3f, contrast x%.2f, saturation x%.2f; %lld places differ\n", real_of(report, "exposure"),
        real_of(report, "red"), real_of(report, "blue"), real_of(report, "contrast"), real_of(report, "saturation"), int_of(report, "found"));
    if (!json_array_size(regions))
        return;
    table *rows = table_new(7, heads);
    json_array_foreach(regions, i, region) {
        const json_t *box = json_object_get(region, "box");
        table_add(rows, "  %zu\t%s\t%g,%g\t%gx%g\t%.1f\t%.1f\t%+.2f", i + 1, text_of(region, "kind"), number_in(box, 0), number_in(box, 1),
            number_in(box, 2), number_in(box, 3), real_of(region, "mean"), real_of(region, "peak"), real_of(region, "stops"));
    }
    table_print(rows);
}

/* What a shot was left as it is for. */
static void show_left(const char *id, const json_t *shot)
{
    const json_t *match = json_object_get(shot, "match"), *flicker = json_object_get(shot, "flicker");
    const long long first = int_of(shot, "first"), last = int_of(shot, "last");

    if (json_is_true(json_object_get(match, "matching")))
        printf("%s: frames %lld-%lld match already, CIEDE2000 %.2f: their colour is left as it is\n", id, first, last, real_of(match, "before"));
    else if (match && !json_is_true(json_object_get(match, "registered")))
        printf("%s: frames %lld-%lld show nothing that the reference shows too: a suggestion, to be judged by eye\n", id, first, last);
    if (flicker && int_of(flicker, "treated") == 0)
        printf("%s: frames %lld-%lld are left as they are: %s (%.2f %% rms)\n", id, first, last,
            *text_of(flicker, "reason") ? text_of(flicker, "reason") : "no flicker over 1 % that all of the picture shares", 100 * real_of(flicker, "rms"));
}

void show_changes(const json_t *list)
{
    json_t *option, *shot, *report;
    size_t i, k, m;

    json_array_foreach((json_t *)list, i, option)
        json_array_foreach(json_object_get(json_object_get(option, "details"), "shots"), k, shot) {
            if (i == 0)
                show_left(text_of(option, "id"), shot);
            json_array_foreach(json_object_get(shot, "reports"), m, report)
                show_report(text_of(option, "id"), report);
        }
}

/* The first option of the newest request that nobody rejected: options of a request come best first. */
static int show_best(const json_t *list)
{
    const char *newest = text_of(json_array_get(list, json_array_size(list) ? json_array_size(list) - 1 : 0), "request");
    json_t *entry;
    size_t i;

    json_array_foreach((json_t *)list, i, entry)
        if (strcmp(text_of(entry, "request"), newest) == 0 && strcmp(text_of(entry, "state"), "rejected") != 0
            && strcmp(text_of(entry, "state"), "draft") != 0) {
            puts(text_of(entry, "id"));
            return EXIT_OK;
        }
    fprintf(stderr, "interpos: no option to choose: `interpos render` makes some\n");
    return EXIT_FAILED;
}

static int run_options(const cli_args *args)
{
    cli_session session;
    char *text = NULL;
    int code = session_open(&session, args, args->words[0]);

    if (code)
        return code;
    json_t *list = take_json(ipos_project_options(session.project, args->word_count > 1 ? args->words[1] : NULL, &text), &text, &code);
    session_close(&session);
    if (code)
        return code;
    if (args_has(args, "best")) {
        code = show_best(list);
        json_decref(list);
        return code;
    }
    if (wants_json(args))
        return show_json(list);
    show_options(list);
    if (args->word_count > 1) {
        show_lost(list);
        show_changes(list);
    }
    json_decref(list);
    return EXIT_OK;
}

static const cli_option list_options[] = {
    {"best", NULL, "print the id of the newest request's best option alone"}, {"json", NULL, "print JSON"}, {NULL, NULL, NULL}};
const cli_command command_options = {"options", "PROJECT [OPTION]", "list what operations made",
    "Example:\n  interpos options northwind\n  interpos options northwind o3 --json\n", list_options, 1, 2, run_options};
