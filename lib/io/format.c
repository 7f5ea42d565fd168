#include "ffmpeg.h"

static const ip_image_format *const formats[] = {
    &ip_format_png, &ip_format_tiff, &ip_format_exr, &ip_format_jpeg, &ip_format_dpx, NULL};

const ip_image_format *ip_format_of_bytes(const uint8_t *head, size_t n) {
    for (size_t i = 0; formats[i]; i++)
        if (formats[i]->probe(head, n))
            return formats[i];
    return NULL;
}

const ip_image_format *ip_format_of_name(const char *name) {
    for (size_t i = 0; formats[i]; i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

const ip_image_format *ip_format_of_path(const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    char extension[8];
    size_t n = dot ? strlen(dot + 1) : 0;
    if (n == 0 || n >= sizeof extension)
        return NULL;
    for (size_t i = 0; i <= n; i++)
        extension[i] = (char)(dot[1 + i] >= 'A' && dot[1 + i] <= 'Z' ? dot[1 + i] + 32 : dot[1 + i]);
    for (size_t i = 0; formats[i]; i++)
        if (ip_in_list(formats[i]->extensions, extension))
            return formats[i];
    return NULL;
}
