#include "seek.h"
#include <stdlib.h>

enum { PACKET_LIMIT = 4000000 };

/* Codecs without invisible pictures, in containers that give each picture one packet with its time. */
static bool one_packet_a_picture(const ip_probe *probe) {
    return ip_in_list("mov,matroska,mxf", probe->container) &&
        ip_in_list("h264,hevc,prores,dnxhd,mjpeg,mpeg4,ffv1,jpeg2000,cfhd", probe->codec);
}

static int by_time(const void *a, const void *b) {
    int64_t x = ((const ip_seek_entry *)a)->pts, y = ((const ip_seek_entry *)b)->pts;
    return (x > y) - (x < y);
}

/* "512,K__" a packet, "1/15360" the stream. False: something the index cannot express. */
static bool take_line(const char *line, ip_seek_index *index, size_t *room) {
    char flags[8] = "";
    long long pts;
    if (!line[0])
        return true;
    if (strchr(line, '/'))
        return ip_parse_rational(line, &index->base);
    if (sscanf(line, "%lld,%7[A-Z_]", &pts, flags) != 2 || strchr(flags, 'D') || index->count >= PACKET_LIMIT)
        return false;
    if ((size_t)index->count == *room) {
        *room = *room ? *room * 2 : 1024;
        ip_seek_entry *entries = ip_realloc(index->entries, *room * sizeof *entries);
        if (!entries)
            return false;
        index->entries = entries;
    }
    index->entries[index->count++] = (ip_seek_entry){pts, flags[0] == 'K'};
    return true;
}

static bool parse(char *text, ip_seek_index *index) {
    size_t room = 0;
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n")))
        if (!take_line(line, index, &room))
            return false;
    if (index->count < 2 || index->base.num <= 0 || index->base.den <= 0 || !index->entries[0].key)
        return false;
    int64_t first = index->entries[0].pts;
    qsort(index->entries, (size_t)index->count, sizeof *index->entries, by_time);
    for (int64_t i = 1; i < index->count; i++)
        if (index->entries[i].pts == index->entries[i - 1].pts)
            return false;
    return index->entries[0].pts == first; /* nothing precedes the first key picture, to be dropped by a decoder */
}

static bool list_packets(const ip_io_env *env, const char *path, ip_buffer *out) {
    char *program = ip_ffprobe_path(env), *input = ip_ffmpeg_input(path);
    const char *const argv[] = {program, "-v", "error", "-protocol_whitelist", "file", "-select_streams", "v:0", "-show_entries",
        "packet=pts,flags:stream=time_base", "-of", "csv=p=0", "-i", input, NULL};
    bool good = program && input && ip_ffmpeg_output(env, argv, -1, path, (size_t)PACKET_LIMIT * 24, out) == IPOS_OK;
    ip_free(program);
    ip_free(input);
    return good;
}

void ip_seek_build(const ip_io_env *env, const char *path, const ip_probe *probe, ip_seek_index *index) {
    if (index->built)
        return;
    index->built = true;
    ip_buffer out = {0};
    char *text = NULL;
    bool good = one_packet_a_picture(probe) && list_packets(env, path, &out);
    if (good)
        text = ip_buffer_take(&out);
    if (!text || !parse(text, index))
        index->count = 0;
    ip_free(text);
    ip_buffer_free(&out);
}

bool ip_seek_find(const ip_seek_index *index, int64_t number, char seconds[40], int64_t *pts) {
    if (number >= index->count)
        return false;
    int64_t key = number;
    while (key > 0 && !index->entries[key].key)
        key--;
    if (key == 0)
        return false;
    double at = (double)index->entries[key].pts * (double)index->base.num / (double)index->base.den;
    int64_t micros = (int64_t)(at * 1e6);
    if (micros < 0)
        return false;
    snprintf(seconds, 40, "%lld.%06lld", (long long)(micros / 1000000), (long long)(micros % 1000000));
    *pts = index->entries[number].pts;
    return true;
}

void ip_seek_free(ip_seek_index *index) {
    ip_free(index->entries);
    memset(index, 0, sizeof *index);
}
