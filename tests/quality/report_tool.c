/* The change report and the patch on raw frames, for look_report.py:
 *
 *   report_tool report ENCODING CLIP THREADS WIDTH HEIGHT TAKE WIDTH HEIGHT REFERENCE OUT [THRESHOLD [AREA]]
 *   report_tool patch ENCODING CLIP THREADS WIDTH HEIGHT TARGET WIDTH HEIGHT DONOR OUT FRAME FRAME MATTE [keep-light] [keep-grain] [of-donor]
 *
 * Frames as in tool_frames.h; where a file has several frames, the pair is chosen. OUT receives the map's difference, looked and belongs planes,
 * then the picture for people, R,G,B. One line of JSON to stdout: the report, with the map's size and the seconds.
 *
 * MATTE: 32-bit float 0..1 of every pixel. OUT receives the patched frame, R,G,B in the working encoding, then evidence and confidence. */
#include "change_report.h"
#include "patch.h"
#include "tool_frames.h"

#include <time.h>

/* Of all threads: wall time would be that of whatever else the machine does. */
static double cpu_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void print(json_t *value) {
    char *text = json_dumps(value, JSON_COMPACT);
    puts(text);
    free(text);
    json_decref(value);
}

static void write_report(const film *take, const film *reference, const ip_change_report *report, const char *path) {
    FILE *out = fopen(path, "wb");
    ip_image3 image[2], picture;
    must(out ? IPOS_OK : ip_fail(IPOS_ERR_IO, "%s: cannot be written", path));
    must(ip_look_fetch(&take->source, report->frame[0], 0, &image[0]));
    must(ip_look_fetch(&reference->source, report->frame[1], 0, &image[1]));
    must(ip_change_report_picture(report, &take->source, &image[0], &image[1], &picture));
    write_plane(out, &report->difference, path);
    write_plane(out, &report->looked, path);
    write_plane(out, &report->belongs, path);
    write_image(out, &picture, path);
    fclose(out);
    ip_image3_free(&picture);
    ip_image3_free(&image[0]);
    ip_image3_free(&image[1]);
}

static int make_report(int count, char **arg) {
    film take, reference;
    ip_change_report report;
    const ip_encoding *encoding = ip_encoding_find(arg[2]);
    ip_change_options options = {.threshold = count > 12 ? strtod(arg[12], NULL) : 0., .least_area = count > 13 ? strtod(arg[13], NULL) : 0.};
    film_open(&take, arg + 5, encoding, strtof(arg[3], NULL));
    film_open(&reference, arg + 8, encoding, strtof(arg[3], NULL));
    take.source.threads = reference.source.threads = atoi(arg[4]);
    double start = cpu_seconds();
    must(ip_change_report_measure(&take.source, take.source.count > 1 ? IP_CHANGE_CHOOSE : 0, &reference.source, reference.source.count > 1 ? IP_CHANGE_CHOOSE : 0,
        &options, &report));
    double took = cpu_seconds() - start;
    json_t *value = ip_change_report_json(&report);
    if (ip_measured(&report.reading))
        write_report(&take, &reference, &report, arg[11]);
    json_object_set_new(value, "map", json_pack("[i,i]", report.difference.width, report.difference.height));
    json_object_set_new(value, "seconds", json_real(took));
    print(value);
    ip_change_report_free(&report);
    film_close(&take);
    film_close(&reference);
    return 0;
}

static bool asked(char **arg, int count, const char *word) {
    for (int i = 15; i < count; i++)
        if (strcmp(arg[i], word) == 0)
            return true;
    return false;
}

/* Samples that changed though nothing says so. */
static json_int_t touched_outside(const ip_image3 *before, const ip_image3 *after, const ip_plane_f *evidence) {
    json_int_t count = 0;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < evidence->height; y++)
            for (int x = 0; x < evidence->width; x++)
                count += ip_row(evidence, y)[x] == 0.f && memcmp(&ip_row(&before->c[c], y)[x], &ip_row(&after->c[c], y)[x], sizeof(float)) != 0;
    return count;
}

static int make_patch(int count, char **arg) {
    film target, donor;
    const ip_encoding *encoding = ip_encoding_find(arg[2]);
    film_open(&target, arg + 5, encoding, strtof(arg[3], NULL));
    film_open(&donor, arg + 8, encoding, strtof(arg[3], NULL));
    target.source.threads = donor.source.threads = atoi(arg[4]);
    size_t frame[2] = {strtoul(arg[12], NULL, 10), strtoul(arg[13], NULL, 10)}, size;
    const ip_patch_options options = {.no_relight = asked(arg, count, "keep-light"), .no_regrain = asked(arg, count, "keep-grain"),
        .matte_of_donor = asked(arg, count, "of-donor"), .step = 1.f / 255.f};
    const ip_look_source *on = options.matte_of_donor ? &donor.source : &target.source;
    void *bytes;
    must(ip_file_read(arg[14], 0, &bytes, &size));
    if (size != (size_t)on->width * (size_t)on->height * sizeof(float))
        must(ip_fail(IPOS_ERR_ARGUMENT, "%s: another size than the frame's", arg[14]));
    const ip_plane_f matte = {on->width, on->height, on->width, bytes};
    ip_image3 image;
    ip_patch patch;
    must(ip_look_fetch(&target.source, frame[0], 0, &image));
    for (int c = 0; c < 3; c++)
        ip_look_code_plane(&target.source, &image.c[c], &image.c[c]);
    ip_image3 before;
    must(ip_image3_new(image.c[0].width, image.c[0].height, &before));
    for (int c = 0; c < 3; c++)
        ip_plane_copy(&before.c[c], &image.c[c]);
    double start = cpu_seconds();
    must(ip_patch_make(&target.source, frame[0], &donor.source, frame[1], &matte, &options, &image, &patch));
    double took = cpu_seconds() - start;
    FILE *out = fopen(arg[11], "wb");
    must(out ? IPOS_OK : ip_fail(IPOS_ERR_IO, "%s: cannot be written", arg[11]));
    write_image(out, &image, arg[11]);
    write_plane(out, &patch.evidence, arg[11]);
    write_plane(out, &patch.confidence, arg[11]);
    fclose(out);
    json_t *value = ip_patch_json(&patch);
    json_object_set_new(value, "touched_outside", json_integer(touched_outside(&before, &image, &patch.evidence)));
    ip_image3_free(&before);
    json_object_set_new(value, "seconds", json_real(took));
    print(value);
    ip_patch_free(&patch);
    ip_image3_free(&image);
    ip_free(bytes);
    film_close(&target);
    film_close(&donor);
    return 0;
}

int main(int count, char **arg) {
    if (count >= 12 && strcmp(arg[1], "report") == 0)
        return make_report(count, arg);
    if (count >= 15 && strcmp(arg[1], "patch") == 0)
        return make_patch(count, arg);
    fprintf(stderr, "usage: report_tool report|patch ENCODING CLIP THREADS WIDTH HEIGHT TAKE WIDTH HEIGHT REFERENCE OUT ...\n");
    return 2;
}
