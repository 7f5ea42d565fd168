#include "sequence.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

enum { SPAN_LIMIT = 10000000, DIGIT_LIMIT = 18 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* What a path with a pattern asks for. */
typedef struct wanted {
    size_t prefix_size, suffix_at; /* within the last part of the path */
    int digits;                    /* 0: as the files have it */
    int64_t from, to, step;        /* inclusive */
} wanted;

static bool parse_percent(const char *name, const char *at, wanted *w) {
    const char *p = at + 1;
    int digits = 0;
    while (is_digit(*p) && digits < 100)
        digits = digits * 10 + (*p++ - '0');
    if (*p != 'd' || digits > DIGIT_LIMIT)
        return false;
    *w = (wanted){(size_t)(at - name), (size_t)(p + 1 - name), digits, 0, INT64_MAX, 1};
    return true;
}

static bool parse_hashes(const char *name, const char *at, wanted *w) {
    size_t n = strspn(at, "#");
    if (n > DIGIT_LIMIT)
        return false;
    *w = (wanted){(size_t)(at - name), (size_t)(at - name) + n, n > 1 ? (int)n : 0, 0, INT64_MAX, 1};
    return true;
}

static const char *parse_number(const char *p, int64_t *out, int *digits) {
    int n = 0;
    for (*out = 0; is_digit(p[n]) && n < DIGIT_LIMIT; n++)
        *out = *out * 10 + (p[n] - '0');
    *digits = n;
    return p + n;
}

static bool parse_range(const char *name, const char *at, wanted *w) {
    int a = 0, b = 0, s = 1;
    int64_t from, to, step = 1;
    const char *p = parse_number(at + 1, &from, &a);
    if (!a || *p != '-')
        return false;
    p = parse_number(p + 1, &to, &b);
    if (b && *p == 'x')
        p = parse_number(p + 1, &step, &s);
    if (!b || !s || *p != ']' || step < 1 || to < from)
        return false;
    /* "[0001-0050]" says how numbers are padded, "[1-50]" does not. */
    *w = (wanted){(size_t)(at - name), (size_t)(p + 1 - name), at[1] == '0' && a > 1 ? a : 0, from, to, step};
    return true;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool parse_pattern(const char *path, wanted *w) {
    const char *name = last_part(path);
    for (const char *p = name + strlen(name); p-- > name;) { /* the last one counts: "take#2.####.exr" */
        if ((*p == '%' && parse_percent(name, p, w)) || (*p == '[' && parse_range(name, p, w)))
            return true;
        if (*p == '#') {
            while (p > name && p[-1] == '#')
                p--;
            if (parse_hashes(name, p, w))
                return true;
        }
    }
    return false;
}

bool ip_sequence_is_pattern(const char *path) {
    wanted w;
    return parse_pattern(path, &w);
}

void ip_sequence_free(ip_sequence *s) {
    ip_free(s->folder);
    ip_free(s->prefix);
    ip_free(s->suffix);
    ip_free(s->numbers);
    ip_free(s->missing);
    ip_free(s->pattern);
    memset(s, 0, sizeof *s);
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Number of a file name with this prefix and suffix; false if it has another form. */
static bool number_in(const char *name, const char *prefix, const char *suffix, int64_t *number, int *digits, bool *padded) {
    size_t size = strlen(name), before = strlen(prefix), after = strlen(suffix);
    if (size <= before + after || strncmp(name, prefix, before) != 0 || strcmp(name + size - after, suffix) != 0)
        return false;
    const char *end = parse_number(name + before, number, digits);
    *padded = name[before] == '0' && *digits > 1;
    return *digits > 0 && end == name + size - after;
}

typedef struct listing {
    char **names;
    size_t count, room;
} listing;

static void free_listing(listing *l) {
    for (size_t i = 0; i < l->count; i++)
        ip_free(l->names[i]);
    ip_free(l->names);
}

static ipos_status list_folder(const char *folder, listing *out) {
    DIR *dir = opendir(folder);
    if (!dir)
        return ip_fail(errno == ENOENT ? IPOS_ERR_NOT_FOUND : IPOS_ERR_IO, "%s: cannot be listed: %s", folder, strerror(errno));
    ipos_status status = IPOS_OK;
    for (struct dirent *entry; status == IPOS_OK && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        if (out->count == out->room) {
            size_t room = out->room ? out->room * 2 : 256;
            char **names = ip_realloc(out->names, room * sizeof *names);
            if (!names) {
                status = IPOS_ERR_NO_MEMORY;
                break;
            }
            out->names = names;
            out->room = room;
        }
        out->names[out->count] = ip_strdup(entry->d_name);
        if (!out->names[out->count])
            status = IPOS_ERR_NO_MEMORY;
        else
            out->count++;
    }
    closedir(dir);
    return status;
}

static ipos_status add_number(ip_sequence *s, int64_t number, size_t *room) {
    if (s->count == *room) {
        *room = *room ? *room * 2 : 64;
        int64_t *numbers = ip_realloc(s->numbers, *room * sizeof *numbers);
        if (!numbers)
            return IPOS_ERR_NO_MEMORY;
        s->numbers = numbers;
    }
    s->numbers[s->count++] = number;
    return IPOS_OK;
}

static ipos_status find_missing(ip_sequence *s) {
    qsort(s->numbers, s->count, sizeof *s->numbers, by_number);
    int64_t span = s->numbers[s->count - 1] - s->numbers[0] + 1;
    if (span > SPAN_LIMIT)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: numbers from %lld to %lld are not one sequence", s->pattern,
            (long long)s->numbers[0], (long long)s->numbers[s->count - 1]);
    s->missing_count = (size_t)span - s->count;
    s->missing = ip_alloc((s->missing_count + 1) * sizeof *s->missing);
    if (!s->missing)
        return IPOS_ERR_NO_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i + 1 < s->count; i++)
        for (int64_t k = s->numbers[i] + 1; k < s->numbers[i + 1]; k++)
            s->missing[n++] = k;
    return IPOS_OK;
}

/* '%' of names doubled, as printf and ffmpeg read patterns. */
static char *make_pattern(const ip_sequence *s) {
    ip_buffer text = {0};
    const char *const parts[] = {s->folder, "/", s->prefix, NULL, s->suffix};
    for (size_t i = 0; i < IP_COUNT(parts); i++) {
        if (!parts[i])
            ip_buffer_printf(&text, s->digits > 1 ? "%%0%dd" : "%%d", s->digits);
        for (const char *p = parts[i]; p && *p; p++) {
            if (*p == '%')
                ip_buffer_add(&text, "%", 1);
            ip_buffer_add(&text, p, 1);
        }
    }
    return ip_buffer_take(&text);
}

/* Gathers the numbers of folder/prefix#suffix within w from the listing. */
static ipos_status gather(const listing *files, const wanted *w, ip_sequence *s) {
    size_t room = 0;
    int shortest = DIGIT_LIMIT + 1, padded_digits = 0;
    for (size_t i = 0; i < files->count; i++) {
        int64_t number;
        int digits;
        bool padded;
        if (!number_in(files->names[i], s->prefix, s->suffix, &number, &digits, &padded))
            continue;
        if (number < w->from || number > w->to || (number - w->from) % w->step)
            continue;
        if (w->digits && (digits < w->digits || (digits > w->digits && padded)))
            continue;
        if (padded && padded_digits && digits != padded_digits)
            return ip_fail(IPOS_ERR_UNSUPPORTED,
                "%s/%s: numbers are padded to %d and to %d digits; give a pattern such as %s%%0%dd%s", s->folder, files->names[i],
                padded_digits, digits, s->prefix, digits, s->suffix);
        padded_digits = padded ? digits : padded_digits;
        shortest = IP_MIN(shortest, digits);
        IP_TRY(add_number(s, number, &room));
    }
    s->digits = w->digits ? w->digits : padded_digits ? padded_digits : 1;
    if (s->count && shortest < s->digits)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: %s*%s numbers some files with %d digits and some with %d", s->folder, s->prefix,
            s->suffix, shortest, s->digits);
    /* All numbers of one width, none with a leading zero: padding cannot be told, and 100..999 reads the same either way. */
    s->pattern = make_pattern(s);
    if (!s->pattern)
        return IPOS_ERR_NO_MEMORY;
    if (s->count == 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: no such files", s->pattern);
    return find_missing(s);
}

static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = slash ? ip_format("%.*s", (int)IP_MAX(slash - path, 1), path) : ip_strdup(".");
    char *absolute = folder ? ip_path_absolute(folder) : NULL;
    ip_free(folder);
    return absolute;
}

ipos_status ip_sequence_open(const char *path, ip_sequence *out) {
    memset(out, 0, sizeof *out);
    wanted w;
    if (!parse_pattern(path, &w))
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: expected %%04d, #### or [1-50] in the name", path);
    const char *name = last_part(path);
    out->folder = folder_of(path);
    out->prefix = ip_format("%.*s", (int)w.prefix_size, name);
    out->suffix = ip_strdup(name + w.suffix_at);
    listing files = {0};
    ipos_status status = out->folder && out->prefix && out->suffix ? list_folder(out->folder, &files) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = gather(&files, &w, out);
    free_listing(&files);
    if (status != IPOS_OK)
        ip_sequence_free(out);
    return status;
}

/* Splits a picture's name before its extension at the last run of digits: "a.0012.exr" -> "a.", ".exr". */
static bool split_name(const char *name, size_t *prefix, size_t *digits) {
    static const char pictures[] = "png,tif,tiff,exr,jpg,jpeg,dpx";
    const char *dot = strrchr(name, '.');
    char extension[8] = "";
    if (!dot || strlen(dot + 1) >= sizeof extension)
        return false;
    for (size_t i = 0; dot[1 + i]; i++)
        extension[i] = (char)(dot[1 + i] >= 'A' && dot[1 + i] <= 'Z' ? dot[1 + i] + 32 : dot[1 + i]);
    size_t end = (size_t)(dot - name), start = end;
    while (start > 0 && is_digit(name[start - 1]))
        start--;
    if (!extension[0] || !ip_in_list(pictures, extension) || end - start > DIGIT_LIMIT)
        return false;
    *prefix = start;
    *digits = end - start;
    return true;
}

/* One form of names in a folder. */
typedef struct group {
    const char *name; /* of its first file */
    size_t prefix, digits, files;
} group;

static bool same_group(const group *g, const char *name, size_t prefix, size_t digits) {
    return g->prefix == prefix && strncmp(g->name, name, prefix) == 0 &&
           strcmp(g->name + g->prefix + g->digits, name + prefix + digits) == 0;
}

static ipos_status one_group(const char *path, const listing *files, group *only) {
    enum { SHOWN = 8 };
    group groups[SHOWN];
    size_t count = 0, more = 0;
    for (size_t i = 0; i < files->count; i++) {
        size_t prefix, digits, k = 0;
        if (!split_name(files->names[i], &prefix, &digits) || digits == 0)
            continue;
        while (k < count && !same_group(&groups[k], files->names[i], prefix, digits))
            k++;
        if (k < count)
            groups[k].files++;
        else if (count < SHOWN)
            groups[count++] = (group){files->names[i], prefix, digits, 1};
        else
            more++;
    }
    if (count == 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "%s: holds no numbered pictures", path);
    *only = groups[0];
    if (count == 1)
        return IPOS_OK;
    ip_buffer text = {0};
    for (size_t k = 0; k < count; k++)
        ip_buffer_printf(&text, "%s%.*s#%s (%zu)", k ? ", " : "", (int)groups[k].prefix, groups[k].name,
            groups[k].name + groups[k].prefix + groups[k].digits, groups[k].files);
    char *list = ip_buffer_take(&text);
    ipos_status status = ip_fail(IPOS_ERR_ARGUMENT, "%s: holds several sequences: %s%s; name one by its pattern", path,
        list ? list : "?", more ? " and more" : "");
    ip_free(list);
    return status;
}

ipos_status ip_sequence_open_folder(const char *path, ip_sequence *out) {
    memset(out, 0, sizeof *out);
    listing files = {0};
    group only = {0};
    out->folder = ip_path_absolute(path);
    ipos_status status = out->folder ? list_folder(out->folder, &files) : IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = one_group(path, &files, &only);
    if (status == IPOS_OK) {
        const wanted all = {0, 0, 0, 0, INT64_MAX, 1};
        out->prefix = ip_format("%.*s", (int)only.prefix, only.name);
        out->suffix = ip_strdup(only.name + only.prefix + only.digits);
        status = out->prefix && out->suffix ? gather(&files, &all, out) : IPOS_ERR_NO_MEMORY;
    }
    free_listing(&files);
    if (status != IPOS_OK)
        ip_sequence_free(out);
    return status;
}

ipos_status ip_sequence_of_file(const char *path, ip_sequence *out) {
    memset(out, 0, sizeof *out);
    const char *name = last_part(path);
    size_t prefix = strlen(name), digits = 0, room = 0;
    int64_t number = 0;
    int found = 0;
    if (split_name(name, &prefix, &digits) && digits)
        parse_number(name + prefix, &number, &found);
    out->folder = folder_of(path);
    out->digits = (int)digits;
    out->prefix = ip_format("%.*s", (int)prefix, name);
    out->suffix = ip_strdup(name + prefix + digits);
    out->pattern = ip_path_absolute(path);
    ipos_status status =
        out->folder && out->prefix && out->suffix && out->pattern ? add_number(out, number, &room) : IPOS_ERR_NO_MEMORY;
    if (status != IPOS_OK)
        ip_sequence_free(out);
    return status;
}

bool ip_sequence_has(const ip_sequence *s, int64_t number) {
    return bsearch(&number, s->numbers, s->count, sizeof number, by_number) != NULL;
}

char *ip_sequence_path(const ip_sequence *s, int64_t number) {
    if (s->digits == 0) /* one file without a number */
        return ip_format("%s/%s%s", s->folder, s->prefix, s->suffix);
    return ip_format("%s/%s%0*lld%s", s->folder, s->prefix, s->digits, (long long)number, s->suffix);
}

int64_t ip_sequence_run_end(const ip_sequence *s, int64_t number) {
    const int64_t *at = bsearch(&number, s->numbers, s->count, sizeof number, by_number), *end = s->numbers + s->count;
    while (at && at + 1 < end && at[1] == at[0] + 1)
        at++;
    return at ? *at : number;
}
