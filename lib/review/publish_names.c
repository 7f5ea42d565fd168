/* Names of published pictures: the source's pattern with the frame's number; a time between frames gets "+n_d": 21/2 in
 * "shot.%04d.exr" is "shot.0010+1_2.exr". */
#include "publish.h"
#include <strings.h>

static const char *extension(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

    return dot && dot != path && (!slash || dot > slash + 1) ? dot + 1 : "";
}

const char *ip_path_format(const char *path)
{
    static const char *const table[][2] = {{"png", "png"}, {"tif", "tiff"}, {"tiff", "tiff"}, {"exr", "exr"}};

    for (size_t i = 0; i < IP_COUNT(table); i++)
        if (strcasecmp(extension(path), table[i][0]) == 0)
            return table[i][1];
    return "";
}

static bool is_movie(const char *path)
{
    return strcasecmp(extension(path), "mkv") == 0 || strcasecmp(extension(path), "mov") == 0;
}

/* The last "%04d", "%d" or run of '#': where it begins, how long it is, how many digits it asks for. */
static bool find_number(const char *name, size_t *begin, size_t *length, int *digits)
{
    bool found = false;

    for (size_t i = 0; name[i]; i++) {
        size_t n = 0;
        int width = 0;
        if (name[i] == '#') {
            while (name[i + n] == '#')
                n++;
            width = (int)n;
        } else if (name[i] == '%') {
            for (n = 1; name[i + n] >= '0' && name[i + n] <= '9' && n < 4; n++)
                width = width * 10 + (name[i + n] - '0');
            n = name[i + n] == 'd' ? n + 1 : 0;
        }
        if (n) {
            *begin = i;
            *length = n;
            *digits = width;
            found = true;
            i += n - 1;
        }
    }
    return found;
}

static bool has_number(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t begin, length;
    int digits;

    return find_number(slash ? slash + 1 : path, &begin, &length, &digits);
}

ipos_status ip_target_of(const char *output, const ip_store_clip *clip, size_t pictures, ip_target *target)
{
    const char *slash = strrchr(clip->path, '/');
    struct stat st;
    size_t n = output ? strlen(output) : 0;

    memset(target, 0, sizeof *target);
    if (n == 0)
        return ip_fail(IPOS_ERR_ARGUMENT, "publish: an output is required: a folder, a pattern such as name.%%04d.exr, or a file");
    target->output = ip_path_absolute(output);
    target->name = ip_strdup(slash ? slash + 1 : clip->path);
    target->clip = clip->name;
    target->clip_format = clip->format;
    if (!target->output || !target->name)
        return ip_no_memory(n);
    bool folder = output[n - 1] == '/' || (stat(target->output, &st) == 0 && S_ISDIR(st.st_mode));
    if (!folder && has_number(target->output))
        target->kind = IP_TARGET_PATTERN;
    else if (!folder && is_movie(target->output))
        target->kind = IP_TARGET_MOVIE;
    else if (!folder && *ip_path_format(target->output))
        target->kind = IP_TARGET_FILE;
    if (target->kind == IP_TARGET_FILE && pictures != 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: the option has %zu pictures, a file holds one: give a folder or a pattern such as name.%%04d.%s",
            target->output, pictures, extension(target->output));
    if (target->kind == IP_TARGET_PATTERN && !*ip_path_format(target->output))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: pictures are published as .exr, .tif, .tiff or .png, films as .mkv or .mov",
            target->output);
    return IPOS_OK;
}

void ip_target_free(ip_target *target)
{
    ip_free(target->output);
    ip_free(target->name);
    memset(target, 0, sizeof *target);
}

static char *numbered(const char *folder, const char *name, ipos_rational time, const char *ending)
{
    size_t begin, length;
    int digits;
    char label[64];

    if (!find_number(name, &begin, &length, &digits))
        return NULL;
    ip_time_label(time, digits, label);
    return ip_format("%s%.*s%s%s%s", folder, (int)begin, name, label, name + begin + length, ending);
}

char *ip_target_path(const ip_target *target, ipos_rational time, const char *picture)
{
    char *path, *stem, *folder, label[64];
    const char *slash = strrchr(target->output, '/');
    bool same = strcmp(ip_path_format(target->name), ip_path_format(picture)) == 0;

    if (target->kind == IP_TARGET_FILE || target->kind == IP_TARGET_MOVIE)
        return ip_strdup(target->output);
    if (target->kind == IP_TARGET_PATTERN) {
        folder = ip_format("%.*s", (int)(slash + 1 - target->output), target->output);
        path = folder ? numbered(folder, slash + 1, time, "") : NULL;
        ip_free(folder);
        return path;
    }
    /* The source's extension where the format is the source's, else the picture's own. */
    const char *dot = strrchr(target->name, '.');
    stem = ip_format("%.*s", dot && dot != target->name ? (int)(dot - target->name) : (int)strlen(target->name), target->name);
    folder = ip_format("%s/", target->output);
    char *ending = ip_format(".%s", same && dot ? dot + 1 : extension(picture));
    path = stem && folder && ending && has_number(stem) ? numbered(folder, stem, time, ending) : NULL;
    if (!path && stem && folder && ending) {
        bool image = *ip_path_format(target->name) != 0;
        ip_time_label(time, 4, label);
        path = ip_format("%s%s.%s%s", folder, image ? stem : target->clip, label, ending);
    }
    ip_free(stem);
    ip_free(folder);
    ip_free(ending);
    return path;
}

char *ip_target_same(const ip_target *target, const char *source, const char *picture)
{
    const char *dot = strrchr(source, '.');

    if (strcmp(ip_path_format(source), ip_path_format(picture)) == 0)
        return ip_format("%s/%s", target->output, source);
    return ip_format("%s/%.*s.%s", target->output, dot && dot != source ? (int)(dot - source) : (int)strlen(source), source,
        extension(picture));
}
