/* Runs the wire fill over raw files, for tuning and for comparing it with other fills.
 *
 *   fill_tool WIDTH HEIGHT FRAMES COLOUR MATTE OUT [-r reach] [-c candidates] [-t threads] [-g] [-m] [-s] [-p COLOUR MATTE FRAMES] [index...]
 *
 * COLOUR: 8-bit RGB frames one after another; MATTE: 8-bit, over 0 is the hole. OUT: for every index asked for (all if none), RGB floats
 * (0..255), then one plane of evidence. -p: another take. -g: with grain. -m: slot 4, the weighted mean alone. -s: the spatial fill alone. */
#include "wire_fill.h"

#include <stdlib.h>
#include <time.h>

typedef struct take {
    const unsigned char *colour, *matte;
    size_t frames;
} take;

typedef struct shot {
    int width, height;
    take take[4];
    size_t count[4], takes;
} shot;

static const unsigned char *load(const char *path, size_t size) {
    void *bytes;
    size_t got;
    if (ip_file_read(path, 0, &bytes, &got) != IPOS_OK || got < size) {
        fprintf(stderr, "%s: %s\n", path, got < size ? "too short" : ipos_last_error());
        exit(1);
    }
    return bytes;
}

static ipos_status colour(void *user, size_t sequence, size_t index, ip_box_i box, const ip_image3 *to) {
    const shot *s = user;
    const unsigned char *frame = s->take[sequence].colour + index * (size_t)s->width * (size_t)s->height * 3;
    for (int y = 0; y < box.height; y++)
        for (int x = 0; x < box.width; x++)
            for (int c = 0; c < 3; c++)
                ip_row(&to->c[c], y)[x] = (float)frame[((size_t)(box.y + y) * (size_t)s->width + (size_t)(box.x + x)) * 3 + (size_t)c] / 255.f;
    return IPOS_OK;
}

static ipos_status matte(void *user, size_t sequence, size_t index, ip_box_i box, const ip_plane_f *to) {
    const shot *s = user;
    const unsigned char *frame = s->take[sequence].matte + index * (size_t)s->width * (size_t)s->height;
    for (int y = 0; y < box.height; y++)
        for (int x = 0; x < box.width; x++)
            ip_row(to, y)[x] = (float)frame[(size_t)(box.y + y) * (size_t)s->width + (size_t)(box.x + x)] / 255.f;
    return IPOS_OK;
}

static void must(ipos_status status) {
    if (status != IPOS_OK) {
        fprintf(stderr, "%s\n", ipos_last_error());
        exit(1);
    }
}

static void add_take(shot *s, const char *rgb, const char *mask, size_t frames) {
    size_t pixels = (size_t)s->width * (size_t)s->height * frames;
    s->take[s->takes] = (take){load(rgb, 3 * pixels), load(mask, pixels), frames};
    s->count[s->takes++] = frames;
}

static void paste(float *out, int width, const ip_wire_tile *tile, int kind) {
    for (int y = 0; y < tile->box.height; y++)
        for (int x = 0; x < tile->box.width; x++) {
            if (!(ip_row(&tile->hole, y)[x] > 0.f))
                continue;
            float *to = out + ((size_t)(tile->box.y + y) * (size_t)width + (size_t)(tile->box.x + x)) * 4;
            const ip_image3 *from = kind == 'm' ? &tile->slot[4] : kind == 's' ? &tile->slot[5] : &tile->colour;
            for (int c = 0; c < 3; c++) {
                to[c] = 255.f * ip_row(&from->c[c], y)[x];
                if (tile->grain.c[0].data)
                    to[c] += 255.f * ip_row(&tile->grain.c[c], y)[x];
            }
            to[3] = ip_row(&tile->evidence, y)[x];
        }
}

static void one(ip_wire_fill *fill, const shot *s, size_t index, int kind, FILE *to) {
    size_t pixels = (size_t)s->width * (size_t)s->height, count;
    float *out = calloc(pixels, 4 * sizeof *out);
    const unsigned char *frame = s->take[0].colour + index * pixels * 3;
    for (size_t i = 0; i < pixels && out; i++)
        for (size_t c = 0; c < 3; c++)
            out[4 * i + c] = (float)frame[3 * i + c];
    ip_wire_tile *tiles;
    clock_t begin = clock();
    double wall = ip_now();
    must(ip_wire_fill_frame(fill, index, &tiles, &count));
    fprintf(stderr, "frame %zu: %zu tiles, %.3f CPU s, %.3f s\n", index, count, (double)(clock() - begin) / CLOCKS_PER_SEC, ip_now() - wall);
    for (size_t i = 0; i < count && out; i++)
        paste(out, s->width, &tiles[i], kind);
    ip_wire_tiles_free(tiles, count);
    if (!out || fwrite(out, 4 * sizeof *out, pixels, to) != pixels)
        exit(1);
    free(out);
}

int main(int argc, char **argv) {
    if (argc < 7) {
        fprintf(stderr, "usage: fill_tool WIDTH HEIGHT FRAMES COLOUR MATTE OUT [options] [index...]\n");
        return 2;
    }
    shot s = {.width = atoi(argv[1]), .height = atoi(argv[2])};
    add_take(&s, argv[4], argv[5], (size_t)atoi(argv[3]));
    ip_wire_fill_options options = {.seed = 1};
    size_t wanted[4096], n = 0;
    int threads = 1, kind = 0;
    for (int i = 7; i < argc; i++) {
        if (!strcmp(argv[i], "-r") && i + 1 < argc)
            options.reach = atoi(argv[++i]);
        else if (!strcmp(argv[i], "-c") && i + 1 < argc)
            options.candidates = atoi(argv[++i]);
        else if (!strcmp(argv[i], "-t") && i + 1 < argc)
            threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "-p") && i + 3 < argc && s.takes < IP_COUNT(s.take))
            add_take(&s, argv[i + 1], argv[i + 2], (size_t)atoi(argv[i + 3])), i += 3;
        else if (argv[i][0] == '-')
            options.grain = options.grain || argv[i][1] == 'g', kind = argv[i][1] == 'g' ? kind : argv[i][1];
        else if (n < IP_COUNT(wanted))
            wanted[n++] = (size_t)atoi(argv[i]);
    }
    for (size_t i = 0, all = n == 0; all && i < s.count[0] && n < IP_COUNT(wanted); i++)
        wanted[n++] = i;
    ip_wire_source source = {&s, s.width, s.height, s.count, s.takes, colour, matte, NULL, threads};
    ip_wire_fill *fill;
    must(ip_wire_fill_open(&source, &options, &fill));
    FILE *to = fopen(argv[6], "wb");
    if (!to)
        return 1;
    for (size_t i = 0; i < n; i++)
        one(fill, &s, wanted[i], kind, to);
    ip_wire_fill_close(fill);
    return fclose(to) == 0 ? 0 : 1;
}
