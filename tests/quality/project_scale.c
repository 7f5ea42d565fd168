/* How a project behaves with size: ingests many tiny frames and times list, look-up, and the ingest of one more clip.
 *
 *   project_scale FOLDER [CLIPSIZE] [COUNT...]     (default 1000 frames a clip; 1000 10000 100000 frames)
 *
 * FOLDER must not exist; it gets the frames (one set of CLIPSIZE files, hard-linked into every clip's folder under a new name) and
 * the project. Prints a line of JSON a count, and the ratios of the last to the first. */
#include "catalogue.h"
#include <stdlib.h>
#include <unistd.h>

typedef struct scale {
    char *folder, *footage;
    ip_store *store;
    int clip_size, clips;
} scale;

typedef struct times {
    int frames;
    double ingest, list, one, lookup, read, more, again; /* seconds: a frame, the list, one clip, a row, a picture, a clip, a repeat */
} times;

static void need(ipos_status status)
{
    if (status == IPOS_OK)
        return;
    fprintf(stderr, "%s: %s\n", ipos_status_name(status), ipos_last_error());
    exit(1);
}

/* Different pictures with a moving bar, so that neither hashes nor thumbnails repeat. */
static void make_master(scale *s)
{
    const ipos_channel channels[3] = {{"R", IPOS_U8, 1, 1}, {"G", IPOS_U8, 1, 1}, {"B", IPOS_U8, 1, 1}};
    const ipos_box box = {0, 0, 64, 36};
    char *folder = ip_path_join(s->footage, "master");

    need(ip_make_folders(folder));
    for (int i = 0; i < s->clip_size; i++) {
        ipos_frame *frame;
        void *bytes;
        size_t size;
        char *path = ip_format("%s/%06d.png", folder, i);
        need(ip_frame_new(&box, NULL, channels, 3, NULL, NULL, &frame));
        for (int k = 0; k < 3; k++)
            for (int p = 0; p < 64 * 36; p++)
                frame->channels[k].data[p / 64 * frame->channels[k].row_stride + p % 64 * frame->channels[k].pixel_stride] =
                    (uint8_t)((p % 64 + i) % 64 * 3 + p / 64 + k * (i / 256));
        need(ip_image_write(&frame, 1, &(ipos_write_config){sizeof(ipos_write_config), .format = "png"}, NULL, &bytes, &size));
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
            need(ip_fail(IPOS_ERR_IO, "%s", path));
        ip_free(bytes);
        ipos_frame_release(frame);
        ip_free(path);
    }
    ip_free(folder);
}

static double ingest(scale *s, int number, bool again)
{
    char name[32], *folder;
    double start;

    snprintf(name, sizeof name, "clip%05d", number);
    folder = ip_path_join(s->footage, name);
    need(ip_make_folders(folder));
    for (int i = 0; i < s->clip_size && !again; i++) {
        char *from = ip_format("%s/master/%06d.png", s->footage, i), *to = ip_format("%s/%s.%06d.png", folder, name, i + 1);
        if (link(from, to) != 0)
            need(ip_fail(IPOS_ERR_IO, "%s", to));
        ip_free(from);
        ip_free(to);
    }
    const ipos_clip_config config = {.struct_size = sizeof config, .training = IPOS_TRAINING_ALLOWED, .name = name,
        .owner = "benchmark",
        .licence = "own", .encoding = "srgb", .rate = {24, 1}};
    start = ip_now();
    need(ip_store_ingest(s->store, folder, &config, NULL, NULL));
    ip_free(folder);
    return ip_now() - start;
}

static double lookup(scale *s, bool decode)
{
    int n = decode ? 50 : 2000;
    double start = ip_now();

    for (int i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "clip%05d", rand() % s->clips);
        int64_t number = 1 + rand() % s->clip_size;
        if (decode) {
            ipos_frame *frame;
            need(ip_store_frame(s->store, name, number, &frame));
            ipos_frame_release(frame);
        } else {
            sqlite3_stmt *row;
            need(ip_db_first(s->store->db, &row, "SELECT f.sha256 FROM frames f JOIN clips c ON c.id=f.clip WHERE c.name=? AND f.number=?", "ti",
                name, number));
            sqlite3_finalize(row);
        }
    }
    return (ip_now() - start) / n;
}

static double list(scale *s, const char *name)
{
    double start = ip_now();
    char *json;

    need(ip_store_clips_json(s->store, name, &json));
    ip_free(json);
    return ip_now() - start;
}

static times measure(scale *s, int frames)
{
    times t = {.frames = frames};
    double start = ip_now();
    int before = s->clips;

    while (s->clips * s->clip_size < frames)
        ingest(s, s->clips++, false);
    t.ingest = (ip_now() - start) / IP_MAX((s->clips - before) * s->clip_size, 1);
    t.list = list(s, NULL);
    t.one = list(s, "clip00000");
    t.lookup = lookup(s, false);
    t.read = lookup(s, true);
    t.more = ingest(s, s->clips++, false);
    t.again = ingest(s, s->clips - 1, true);
    printf("{\"frames\":%d,\"clips\":%d,\"ingest_ms_per_frame\":%.3f,\"list_all_ms\":%.3f,\"list_one_ms\":%.3f,\"lookup_us\":%.2f,"
           "\"read_frame_ms\":%.3f,\"ingest_one_more_clip_s\":%.3f,\"ingest_again_s\":%.3f}\n",
        t.frames, s->clips, 1e3 * t.ingest, 1e3 * t.list, 1e3 * t.one, 1e6 * t.lookup, 1e3 * t.read, t.more, t.again);
    fflush(stdout);
    return t;
}

int main(int argc, char **argv)
{
    static const int usual[] = {1000, 10000, 100000};
    scale s = {.clip_size = argc > 2 ? atoi(argv[2]) : 1000};
    int count = argc > 3 ? argc - 3 : (int)IP_COUNT(usual);
    times first = {0}, last = {0};

    if (argc < 2 || s.clip_size < 1) {
        fprintf(stderr, "usage: project_scale FOLDER [CLIPSIZE] [COUNT...]\n");
        return 2;
    }
    s.folder = ip_path_join(argv[1], "project");
    s.footage = ip_path_join(argv[1], "footage");
    make_master(&s);
    need(ip_store_create(s.folder, NULL, NULL, &s.store));
    for (int i = 0; i < count; i++) {
        last = measure(&s, argc > 3 ? atoi(argv[3 + i]) : usual[i]);
        if (i == 0)
            first = last;
    }
    printf("{\"ratio\":\"%d to %d frames\",\"list_per_clip\":%.2f,\"list_one\":%.2f,\"lookup\":%.2f,\"read_frame\":%.2f,\"ingest_one_more_clip\":%.2f}\n",
        first.frames, last.frames, last.list / last.frames / (first.list / first.frames), last.one / first.one,
        last.lookup / first.lookup,
        last.read / first.read, last.more / first.more);
    ip_store_close(s.store);
    ip_free(s.folder);
    ip_free(s.footage);
    return 0;
}
