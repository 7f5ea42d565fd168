/* Stanford PLY, ascii and binary little-endian. */
#include "mesh_parts.h"

enum { ELEMENTS = 16, PROPERTIES = 64, CORNERS = 1024 };
enum { I8, U8, I16, U16, I32, U32, F32, F64, TYPES };

typedef struct property {
    int type, count_type; /* count_type -1: no list */
    int place;            /* vertex: 0..2 of x,y,z; face: 3 the corners; -1: passed over */
} property;

typedef struct element {
    uint64_t count;
    bool vertex, face;
    property of[PROPERTIES];
    int properties;
} element;

typedef struct reading {
    ip_mesh_maker *maker;
    const char *at, *begin, *end;
    size_t line;
    bool binary;
    element elements[ELEMENTS];
    int count;
    ip_mesh_line words; /* ascii: of the line under way */
    char where[40];
} reading;

static ipos_status type_of(reading *r, const char *word, int *out) {
    static const char *const names[TYPES][2] = {{"char", "int8"}, {"uchar", "uint8"}, {"short", "int16"}, {"ushort", "uint16"}, {"int", "int32"},
        {"uint", "uint32"}, {"float", "float32"}, {"double", "float64"}};
    for (*out = 0; *out < TYPES; ++*out)
        if (!strcmp(word, names[*out][0]) || !strcmp(word, names[*out][1]))
            return IPOS_OK;
    return ip_mesh_wrong(r->maker, r->where, "\"%s\" is no type of PLY: expected char, uchar, short, ushort, int, uint, float, double", word);
}

static ipos_status read_property(reading *r, ip_mesh_line *line) {
    char word[64];
    element *e = r->count ? &r->elements[r->count - 1] : NULL;
    if (!e || e->properties == PROPERTIES)
        return ip_mesh_wrong(r->maker, r->where, e ? "more than %d properties" : "a property before the first element (most: %d)", PROPERTIES);
    property *p = &e->of[e->properties++];
    *p = (property){.count_type = -1, .place = -1};
    bool named = ip_mesh_word(line, word);
    if (named && !strcmp(word, "list")) {
        named = ip_mesh_word(line, word);
        if (named)
            IP_TRY(type_of(r, word, &p->count_type));
        if (named && p->count_type > U32)
            return ip_mesh_wrong(r->maker, r->where, "a list counted in %s: expected a whole type", word);
        named = named && ip_mesh_word(line, word);
    }
    if (named)
        IP_TRY(type_of(r, word, &p->type));
    if (!named || !ip_mesh_word(line, word))
        return ip_mesh_wrong(r->maker, r->where, "expected property TYPE NAME or property list TYPE TYPE NAME");
    if (e->vertex && p->count_type < 0 && word[0] >= 'x' && word[0] <= 'z' && !word[1])
        p->place = word[0] - 'x';
    if (e->face && p->count_type >= 0 && (!strcmp(word, "vertex_indices") || !strcmp(word, "vertex_index")))
        p->place = 3;
    return IPOS_OK;
}

static ipos_status read_element(reading *r, ip_mesh_line *line) {
    char name[64], word[64];
    int64_t count;
    if (!ip_mesh_word(line, name) || !ip_mesh_word(line, word) || !ip_parse_int(word, &count) || count < 0)
        return ip_mesh_wrong(r->maker, r->where, "expected element NAME COUNT");
    if (r->count == ELEMENTS)
        return ip_mesh_wrong(r->maker, r->where, "more than %d elements", ELEMENTS);
    r->elements[r->count++] = (element){.count = (uint64_t)count, .vertex = !strcmp(name, "vertex"), .face = !strcmp(name, "face")};
    return IPOS_OK;
}

static ipos_status read_format(reading *r, ip_mesh_line *line) {
    char word[64] = "";
    ip_mesh_word(line, word);
    r->binary = !strcmp(word, "binary_little_endian");
    if (r->binary || !strcmp(word, "ascii"))
        return IPOS_OK;
    return ip_mesh_wrong(r->maker, r->where, "format \"%s\": expected ascii or binary_little_endian; write the file anew", word);
}

static ipos_status check_header(const reading *r) {
    for (int i = 0; i < r->count; i++) {
        const element *e = &r->elements[i];
        int places = 0;
        for (int k = 0; k < e->properties; k++)
            places |= e->of[k].place >= 0 ? 1 << e->of[k].place : 0;
        if (e->vertex && (places & 7) != 7)
            return ip_mesh_wrong(r->maker, "header", "element vertex has no x, y, z");
        if (e->face && places != 8)
            return ip_mesh_wrong(r->maker, "header", "element face has no list vertex_indices");
    }
    return IPOS_OK;
}

static ipos_status read_header(reading *r) {
    ip_mesh_line line;
    char word[64];
    bool format = false;
    while (ip_mesh_next_line(&r->at, r->end, &line)) {
        snprintf(r->where, sizeof r->where, "line %zu", ++r->line);
        if (!ip_mesh_word(&line, word) || !strcmp(word, "comment") || !strcmp(word, "obj_info") || !strcmp(word, "ply"))
            continue;
        if (!strcmp(word, "end_header"))
            return format ? check_header(r) : ip_mesh_wrong(r->maker, r->where, "the header names no format");
        if (!strcmp(word, "format")) {
            IP_TRY(read_format(r, &line));
            format = true;
        } else if (!strcmp(word, "element")) {
            IP_TRY(read_element(r, &line));
        } else if (!strcmp(word, "property")) {
            IP_TRY(read_property(r, &line));
        } else {
            return ip_mesh_wrong(r->maker, r->where, "\"%s\": expected format, element, property, comment or end_header", word);
        }
    }
    return ip_mesh_wrong(r->maker, r->where, "the file ends within its header");
}

static ipos_status next_binary(reading *r, int type, double *out) {
    static const size_t bytes[TYPES] = {1, 1, 2, 2, 4, 4, 4, 8};
    union { int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32; float f32; double f64; } v;
    snprintf(r->where, sizeof r->where, "byte %zu", (size_t)(r->at - r->begin));
    if ((size_t)(r->end - r->at) < bytes[type])
        return ip_mesh_wrong(r->maker, r->where, "the file ends before all its elements are read");
    memcpy(&v, r->at, bytes[type]);
    r->at += bytes[type];
    *out = type == I8 ? v.i8 : type == U8 ? v.u8 : type == I16 ? v.i16 : type == U16 ? v.u16 : type == I32 ? v.i32 : type == U32 ? v.u32
        : type == F32 ? (double)v.f32 : v.f64;
    return IPOS_OK;
}

static ipos_status next_ascii(reading *r, double *out) {
    char word[64];
    if (!ip_mesh_word(&r->words, word))
        return ip_mesh_wrong(r->maker, r->where, "fewer numbers than the header says");
    if (!ip_parse_real(word, out))
        return ip_mesh_wrong(r->maker, r->where, "\"%s\" is no number", word);
    return IPOS_OK;
}

static ipos_status next(reading *r, int type, double *out) {
    return r->binary ? next_binary(r, type, out) : next_ascii(r, out);
}

static ipos_status read_list(reading *r, const property *p, int64_t corner[CORNERS], size_t *count) {
    double size, value;
    IP_TRY(next(r, p->count_type, &size));
    if (!(size >= 0) || (p->place == 3 && size > CORNERS))
        return ip_mesh_wrong(r->maker, r->where, "a list of %g: expected 0 to %d", size, CORNERS);
    for (uint64_t i = 0; i < (uint64_t)size; i++) {
        IP_TRY(next(r, p->type, &value));
        if (p->place == 3) {
            if (!(value >= 0 && value <= UINT32_MAX))
                return ip_mesh_wrong(r->maker, r->where, "a face names point %g", value);
            corner[(*count)++] = (int64_t)value;
        }
    }
    return IPOS_OK;
}

static ipos_status read_item(reading *r, const element *e) {
    double at[3] = {0}, value;
    int64_t corner[CORNERS];
    size_t count = 0;
    for (int k = 0; k < e->properties; k++) {
        const property *p = &e->of[k];
        if (p->count_type >= 0) {
            IP_TRY(read_list(r, p, corner, &count));
            continue;
        }
        IP_TRY(next(r, p->type, &value));
        if (p->place >= 0)
            at[p->place] = value;
    }
    if (e->vertex)
        return ip_mesh_add_point(r->maker, at, r->where);
    return e->face ? ip_mesh_add_face(r->maker, corner, count, r->where) : IPOS_OK;
}

static ipos_status next_words(reading *r) {
    do {
        snprintf(r->where, sizeof r->where, "line %zu", r->line + 1);
        if (!ip_mesh_next_line(&r->at, r->end, &r->words))
            return ip_mesh_wrong(r->maker, r->where, "the file ends before all its elements are read");
        r->line++;
        while (r->words.at < r->words.end && (unsigned char)*r->words.at <= ' ')
            r->words.at++;
    } while (r->words.at == r->words.end);
    return IPOS_OK;
}

ipos_status ip_mesh_ply(ip_mesh_maker *maker, const char *bytes, size_t size) {
    reading r = {.maker = maker, .at = bytes, .begin = bytes, .end = bytes + size};
    IP_TRY(read_header(&r));
    for (int i = 0; i < r.count; i++)
        for (uint64_t k = 0; k < r.elements[i].count && r.elements[i].properties; k++) {
            if (!r.binary)
                IP_TRY(next_words(&r));
            IP_TRY(read_item(&r, &r.elements[i]));
        }
    return IPOS_OK;
}
