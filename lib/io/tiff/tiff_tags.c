/* Tags that are not about the layout of pixels, both ways. */
#include "tiff_file.h"

/* Layout, codec parameters and offsets to other directories: they belong to the file they came from. */
static bool belongs_to_file(uint32_t tag) {
    static const uint16_t tags[] = {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288,
        289, 292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 330, 338, 339, 340, 341, 342, 347,
        512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 559, 34665, 34853, 40965};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (tags[i] == tag)
            return true;
    return tag > 65535; /* libtiff's pseudo tags */
}

static const char *const type_names[] = {[TIFF_BYTE] = "byte",
    [TIFF_ASCII] = "ascii",
    [TIFF_SHORT] = "short",
    [TIFF_LONG] = "long",
    [TIFF_RATIONAL] = "rational",
    [TIFF_SBYTE] = "sbyte",
    [TIFF_UNDEFINED] = "undefined",
    [TIFF_SSHORT] = "sshort",
    [TIFF_SLONG] = "slong",
    [TIFF_SRATIONAL] = "srational",
    [TIFF_FLOAT] = "float",
    [TIFF_DOUBLE] = "double",
    [TIFF_LONG8] = "long8",
    [TIFF_SLONG8] = "slong8"};

static const char *type_name(TIFFDataType type) {
    return (size_t)type < sizeof type_names / sizeof type_names[0] ? type_names[type] : NULL;
}

static TIFFDataType type_number(const char *name) {
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (type_names[i] && strcmp(type_names[i], name) == 0)
            return (TIFFDataType)i;
    return TIFF_NOTYPE;
}

static bool give(TIFF *tif, const TIFFField *field, uint32_t tag, ip_tiff_tag_fn each, void *user) {
    const char *type = type_name(TIFFFieldDataType(field));
    int size = TIFFFieldSetGetSize(field), count = TIFFFieldReadCount(field);
    if (!type || size <= 0)
        return true;
    void *bytes = NULL;
    if (TIFFFieldPassCount(field)) {
        uint32_t wide = 0;
        uint16_t narrow = 0;
        bool is_wide = TIFFFieldSetGetCountSize(field) == 4;
        if (!TIFFGetField(tif, tag, is_wide ? (void *)&wide : (void *)&narrow, &bytes) || !bytes)
            return true;
        return each(user, tag, type, bytes, (size_t)(is_wide ? wide : narrow) * (size_t)size);
    }
    if (TIFFFieldDataType(field) == TIFF_ASCII) {
        if (!TIFFGetField(tif, tag, &bytes) || !bytes)
            return true;
        return each(user, tag, type, bytes, strlen(bytes));
    }
    if (count == 1) {
        uint64_t value = 0;
        return !TIFFGetField(tif, tag, &value) || each(user, tag, type, &value, (size_t)size);
    }
    if (count > 1 && TIFFGetField(tif, tag, &bytes) && bytes)
        return each(user, tag, type, bytes, (size_t)count * (size_t)size);
    return true;
}

void ip_tiff_tags(void *handle, ip_tiff_tag_fn each, void *user) {
    ip_tiff_file *file = handle;
    static const uint32_t known[] = {TIFFTAG_ORIENTATION, TIFFTAG_XRESOLUTION, TIFFTAG_YRESOLUTION, TIFFTAG_RESOLUTIONUNIT,
        TIFFTAG_XPOSITION, TIFFTAG_YPOSITION};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const TIFFField *field = TIFFFieldWithTag(file->tif, known[i]);
        if (field && !give(file->tif, field, known[i], each, user))
            return;
    }
    int count = TIFFGetTagListCount(file->tif);
    for (int i = 0; i < count; i++) {
        uint32_t tag = TIFFGetTagListEntry(file->tif, i);
        const TIFFField *field = belongs_to_file(tag) ? NULL : TIFFFieldWithTag(file->tif, tag);
        if (field && !give(file->tif, field, tag, each, user))
            return;
    }
}

/* Tells libtiff of a tag it does not know. */
static const TIFFField *merge(ip_tiff_file *file, uint32_t tag, TIFFDataType type) {
    char **names = realloc(file->names, (file->name_count + 1) * sizeof *names);
    char *name = malloc(16);
    if (names)
        file->names = names;
    if (!names || !name) {
        free(name);
        return NULL;
    }
    snprintf(name, 16, "Tag %u", tag);
    names[file->name_count++] = name;
    TIFFFieldInfo info = {tag, TIFF_VARIABLE2, TIFF_VARIABLE2, type, FIELD_CUSTOM, 1, 1, name};
    if (TIFFMergeFieldInfo(file->tif, &info, 1) != 0)
        return NULL;
    return TIFFFieldWithTag(file->tif, tag);
}

static bool set_single(TIFF *tif, uint32_t tag, TIFFDataType type, const void *bytes, int size) {
    uint64_t whole = 0;
    if (type == TIFF_FLOAT || type == TIFF_DOUBLE || type == TIFF_RATIONAL || type == TIFF_SRATIONAL) {
        float narrow;
        double wide;
        if (size == 4) {
            memcpy(&narrow, bytes, 4);
            wide = narrow;
        } else {
            memcpy(&wide, bytes, 8);
        }
        return TIFFSetField(tif, tag, wide) == 1;
    }
    memcpy(&whole, bytes, (size_t)size); /* little-endian */
    if (size == 8)
        return TIFFSetField(tif, tag, whole) == 1;
    return TIFFSetField(tif, tag, (uint32_t)whole) == 1;
}

static bool put(ip_tiff_file *file, const ip_tiff_tag *tag) {
    TIFFDataType type = type_number(tag->type);
    const TIFFField *field = TIFFFieldWithTag(file->tif, tag->tag);
    if (!field)
        field = type == TIFF_NOTYPE ? NULL : merge(file, tag->tag, type);
    int size = field ? TIFFFieldSetGetSize(field) : 0, count = field ? TIFFFieldWriteCount(field) : 0;
    if (size <= 0 || tag->size % (size_t)size || tag->size / (size_t)size > INT32_MAX)
        return false;
    size_t n = tag->size / (size_t)size;
    if (TIFFFieldPassCount(field)) {
        if (TIFFFieldSetGetCountSize(field) == 4)
            return TIFFSetField(file->tif, tag->tag, (uint32_t)n, tag->bytes) == 1;
        return n <= UINT16_MAX && TIFFSetField(file->tif, tag->tag, (int)n, tag->bytes) == 1;
    }
    if (TIFFFieldDataType(field) == TIFF_ASCII) {
        char *copy = malloc(tag->size + 1);
        if (!copy)
            return false;
        memcpy(copy, tag->bytes, tag->size);
        copy[tag->size] = 0;
        bool done = TIFFSetField(file->tif, tag->tag, copy) == 1;
        free(copy);
        return done;
    }
    if (count == 1 && n == 1)
        return set_single(file->tif, tag->tag, TIFFFieldDataType(field), tag->bytes, size);
    return count > 1 && n == (size_t)count && TIFFSetField(file->tif, tag->tag, tag->bytes) == 1;
}

ipos_status ip_tiff_put_tags(ip_tiff_file *file, const ip_tiff_tag *tags, size_t count, char *text) {
    for (size_t i = 0; i < count; i++) {
        if (belongs_to_file(tags[i].tag))
            continue;
        file->said[0] = 0;
        if (!put(file, &tags[i])) {
            snprintf(text, IP_TIFF_TEXT, "tag %u (%s, %zu bytes) cannot be written%s%.150s", tags[i].tag, tags[i].type,
                tags[i].size, file->said[0] ? ": " : "", file->said);
            return IPOS_ERR_UNSUPPORTED;
        }
    }
    return IPOS_OK;
}
