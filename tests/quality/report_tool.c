/* The change report and the patch on raw frames, for look_report.py:
 *
 *   report_tool report ENCODING CLIP THREADS WIDTH HEIGHT TAKE WIDTH HEIGHT REFERENCE OUT [THRESHOLD [AREA]]
 *
 * Frames as in tool_frames.h; where a file has several frames, the pair is chosen. OUT receives the map's difference, looked and belongs planes,
 * then the picture for people, R,G,B. One line of JSON to stdout: the report, with the map's size, the picture's and the seconds. */
#include "change_report.h"
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

int main(int count, char **arg) {
    if (count >= 12 && strcmp(arg[1], "report") == 0)
        return make_report(count, arg);
    fprintf(stderr, "usage: report_tool report ENCODING CLIP THREADS WIDTH HEIGHT TAKE WIDTH HEIGHT REFERENCE OUT [THRESHOLD [AREA]]\n");
    return 2;
}
