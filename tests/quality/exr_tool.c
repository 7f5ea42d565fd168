/* The EXR reader and writer on files, for exr_compare.py:
 *   exr_tool dump FILE PART          JSON of the frame on one line, then each channel's samples, packed
 *   exr_tool copy FILE OUT [COMPRESSION [TILE]]   all parts, written as they were read or in that compression
 *   exr_tool time FILE TIMES         CPU milliseconds of one read (the least of TIMES)
 *   exr_tool try FILE...             status of each, one a line; then the most memory held, in KiB */
#include "format.h"
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

static int failed(const char *what) {
    fprintf(stderr, "%s: %s\n", what, ipos_last_error());
    return 1;
}

static json_t *box_of(const ipos_box *box) {
    return json_pack("[iiii]", box->x, box->y, box->width, box->height);
}

static char *hex_of(const uint8_t *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * size + 1);
    for (size_t i = 0; text && i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    if (text)
        text[2 * size] = 0;
    return text;
}

static int dump(const char *path, int part) {
    ipos_frame *frame = NULL;
    if (ip_image_read(NULL, path, NULL, 0, part, &frame) != IPOS_OK)
        return failed(path);
    json_t *channels = json_array(), *attributes = json_object();
    for (size_t i = 0; i < frame->channel_count; i++) {
        const ip_channel *c = &frame->channels[i];
        json_array_append_new(channels, json_pack("{ss ss si si}", "name", c->name, "type", ip_sample_name(c->type), "width", c->width, "height", c->height));
    }
    for (size_t i = 0; i < frame->attribute_count; i++) {
        const ip_attribute *a = &frame->attributes[i];
        char *hex = hex_of(a->bytes, a->size);
        json_object_set_new(attributes, a->name, json_pack("[ss]", a->type, hex));
        free(hex);
    }
    json_t *root = json_pack("{so so so so ss}", "data_window", box_of(&frame->data_window), "display_window", box_of(&frame->display_window),
        "channels", channels, "attributes", attributes, "encoding", frame->encoding);
    char *text = json_dumps(root, JSON_COMPACT);
    puts(text ? text : "{}");
    free(text);
    json_decref(root);
    for (size_t i = 0; i < frame->channel_count; i++) {
        const ip_channel *c = &frame->channels[i];
        for (int32_t y = 0; y < c->height; y++)
            fwrite(c->data + y * c->row_stride, ip_sample_bytes(c->type), (size_t)c->width, stdout);
    }
    ipos_frame_release(frame);
    return fflush(stdout) != 0;
}

static int copy(const char *path, const char *out, const char *compression, int tile) {
    enum { MOST = 64 };
    ipos_frame *frames[MOST] = {NULL};
    const ipos_write_config config = {.struct_size = sizeof config, .format = "exr", .compression = compression, .tile_width = tile};
    ip_image_header header;
    const char *format = NULL;
    if (ip_image_info(NULL, path, 0, &format, &header) != IPOS_OK)
        return failed(path);
    const int parts = IP_MIN(header.parts, (int)MOST);
    ip_header_free(&header);
    ipos_status status = IPOS_OK;
    for (int i = 0; i < parts && status == IPOS_OK; i++)
        status = ip_image_read(NULL, path, NULL, 0, i, &frames[i]);
    if (status == IPOS_OK)
        status = ip_image_write(frames, (size_t)parts, &config, out, NULL, NULL);
    const int result = status == IPOS_OK ? 0 : failed(out);
    for (int i = 0; i < parts; i++)
        ipos_frame_release(frames[i]);
    return result;
}

static int measure(const char *path, int times) {
    double best = 1e30;
    for (int i = 0; i < times; i++) {
        struct timespec from, to;
        ipos_frame *frame = NULL;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        if (ip_image_read(NULL, path, NULL, 0, 0, &frame) != IPOS_OK)
            return failed(path);
        ipos_frame_release(frame);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        best = IP_MIN(best, (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
    }
    printf("%.2f\n", best);
    return 0;
}

static int try_all(int count, char **paths) {
    const ip_io_env env = {.memory_limit = (uint64_t)1 << 30};
    for (int i = 0; i < count; i++) {
        ipos_frame *frame = NULL;
        const ipos_status status = ip_image_read(&env, paths[i], NULL, 0, 0, &frame);
        printf("%s\t%s\n", ipos_status_name(status), status == IPOS_OK ? paths[i] : ipos_last_error());
        ipos_frame_release(frame);
    }
    char line[256];
    FILE *self = fopen("/proc/self/status", "r");
    while (self && fgets(line, sizeof line, self))
        if (strncmp(line, "VmHWM:", 6) == 0)
            printf("peak\t%ld\n", atol(line + 6));
    if (self)
        fclose(self);
    return 0;
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "dump") == 0)
        return dump(words[2], atoi(words[3]));
    if (count >= 4 && strcmp(words[1], "copy") == 0)
        return copy(words[2], words[3], count > 4 ? words[4] : NULL, count > 5 ? atoi(words[5]) : 0);
    if (count == 4 && strcmp(words[1], "time") == 0)
        return measure(words[2], atoi(words[3]));
    if (count > 2 && strcmp(words[1], "try") == 0)
        return try_all(count - 2, words + 2);
    fprintf(stderr, "exr_tool dump FILE PART | copy FILE OUT [COMPRESSION [TILE]] | time FILE TIMES | try FILE...\n");
    return 2;
}
