/* formats_dump FILE [PART]: one JSON line about the file, then its samples, channel after channel, as they are.
 * formats_dump --again FILE...: reads, writes and reads again in the same format, and says what came back otherwise.
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

static const char *differs(const ipos_frame *a, const ipos_frame *b) {
    char hash_a[65] = "", hash_b[65] = "";
    if (!ip_frame_hash(a, hash_a) || !ip_frame_hash(b, hash_b) || strcmp(hash_a, hash_b) != 0)
        return "pixels";
    if (strcmp(a->encoding, b->encoding) != 0)
        return "encoding";
    for (size_t i = 0; i < a->attribute_count; i++) {
        const ip_attribute *x = &a->attributes[i], *y = ip_frame_attribute(b, x->name);
        bool layout = ip_in_list("png:IHDR,png:sBIT,png:bKGD,tiff:259,tiff:338", x->name); /* of the first file only */
        if (!layout && (!y || strcmp(x->type, y->type) != 0 || x->size != y->size || memcmp(x->bytes, y->bytes, x->size) != 0))
            return x->name;
    }
    return NULL;
}

/* True if there was nothing to complain of. */
static bool again(const char *path) {
    const char *format = NULL;
    ip_image_header header;
    ipos_frame *first = NULL, *second = NULL;
    void *bytes = NULL;
    size_t size = 0;
    if (ip_image_info(NULL, path, 0, &format, &header) != IPOS_OK || ip_image_read(NULL, path, NULL, 0, 0, &first) != IPOS_OK) {
        ip_header_free(&header);
        return true;
    }
    ip_header_free(&header);
    const ipos_write_config config = {sizeof config, format};
    ipos_status status = ip_image_write(&first, 1, &config, NULL, &bytes, &size);
    if (status == IPOS_OK)
        status = ip_image_read(NULL, NULL, bytes, size, 0, &second);
    const char *what = status == IPOS_OK ? differs(first, second) : ipos_last_error();
    if (what)
        printf("%s: %s\n", path, what);
    ip_free(bytes);
    ipos_frame_release(first);
    ipos_frame_release(second);
    return !what;
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "--try") == 0) {
        for (int i = 2; i < argc; i++)
            try_file(argv[i]);
        return 0;
    }
    if (argc > 2 && strcmp(argv[1], "--again") == 0) {
        int bad = 0;
        for (int i = 2; i < argc; i++)
            bad += !again(argv[i]);
        printf("%d files, %d came back otherwise\n", argc - 2, bad);
        return bad != 0;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: formats_dump FILE [PART] | --again FILE... | --try FILE...\n");
        return 2;
    }
    return dump(argv[1], argc > 2 ? atoi(argv[2]) : 0);
}
