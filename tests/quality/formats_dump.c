/* formats_dump FILE [PART]: one JSON line about the file, then its samples, channel after channel, as they are.
 * formats_dump --try FILE...: reads every part of every file and prints status, seconds, peak memory and the error text. */
#include "format.h"
#include <stdlib.h>
#include <sys/resource.h>

static int dump(const char *path, int part) {
    ipos_frame *frame = NULL;
    ipos_status status = ip_image_read(NULL, path, NULL, 0, part, &frame);
    if (status != IPOS_OK) {
        printf("{\"status\":\"%s\"}\n%s\n", ipos_status_name(status), ipos_last_error());
        return 0;
    }
    printf("{\"status\":\"IPOS_OK\",\"width\":%d,\"height\":%d,\"encoding\":\"%s\",\"channels\":[", frame->data_window.width,
        frame->data_window.height, frame->encoding);
    for (size_t i = 0; i < frame->channel_count; i++)
        printf("%s[\"%s\",\"%s\"]", i ? "," : "", frame->channels[i].name, ip_sample_name(frame->channels[i].type));
    printf("],\"attributes\":[");
    for (size_t i = 0; i < frame->attribute_count; i++)
        printf("%s\"%s\"", i ? "," : "", frame->attributes[i].name);
    printf("]}\n");
    for (size_t i = 0; i < frame->channel_count; i++) {
        const ip_channel *c = &frame->channels[i];
        for (int32_t y = 0; y < c->height; y++)
            for (int32_t x = 0; x < c->width; x++)
                fwrite(c->data + y * c->row_stride + x * c->pixel_stride, ip_sample_bytes(c->type), 1, stdout);
    }
    ipos_frame_release(frame);
    return 0;
}

static ipos_status try_part(const char *path, int part, int *parts) {
    const char *format = NULL;
    ip_image_header header;
    ipos_status status = ip_image_info(NULL, path, part, &format, &header);
    *parts = status == IPOS_OK ? header.parts : 0;
    ip_header_free(&header);
    ipos_frame *frame = NULL;
    if (status == IPOS_OK)
        status = ip_image_read(NULL, path, NULL, 0, part, &frame);
    ipos_frame_release(frame);
    return status;
}

static void try_file(const char *path) {
    enum { PARTS = 32 };
    double begin = ip_now();
    int parts = 1;
    for (int part = 0; part < parts && part < PARTS; part++) {
        int found = 0;
        ipos_status status = try_part(path, part, &found);
        if (part == 0 && found > 1)
            parts = found;
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        printf("%s\t%d\t%.2f\t%ld\t%s\t%s\n", ipos_status_name(status), part, ip_now() - begin, usage.ru_maxrss >> 10, path,
            status == IPOS_OK ? "" : ipos_last_error());
    }
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "--try") == 0) {
        for (int i = 2; i < argc; i++)
            try_file(argv[i]);
        return 0;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: formats_dump FILE [PART] | --try FILE...\n");
        return 2;
    }
    return dump(argv[1], argc > 2 ? atoi(argv[2]) : 0);
}
