#include "exr.h"

enum { LARGEST_HEADER = 64 << 20, MOST_ATTRIBUTES = 8192, MOST_PARTS = 4096 };

/* The header's bytes, read as far as they were asked for. */
typedef struct cursor {
    const ip_input *in;
    uint8_t *data;
    size_t loaded, room, at;
} cursor;

static ipos_status need(cursor *c, size_t n) {
    if (n <= c->loaded - c->at)
        return IPOS_OK;
    if (c->at + n > c->in->size)
        return ip_fail(IPOS_ERR_FORMAT, "%s: the file ends within its EXR header", c->in->name);
    if (c->at + n > LARGEST_HEADER)
        return ip_fail(IPOS_ERR_FORMAT, "%s: the EXR header is larger than %d MiB", c->in->name, LARGEST_HEADER >> 20);
    size_t room = IP_MAX(c->at + n, IP_MAX(c->room * 2, (size_t)65536));
    room = (size_t)IP_MIN((uint64_t)room, c->in->size);
    uint8_t *data = ip_realloc(c->data, room);
    if (!data)
        return IPOS_ERR_NO_MEMORY;
    c->data = data;
    c->room = room;
    int64_t got = ip_input_read(c->in, c->loaded, data + c->loaded, room - c->loaded);
    if (got < 0)
        return IPOS_ERR_IO;
    c->loaded += (size_t)got;
    if (n > c->loaded - c->at)
        return ip_fail(IPOS_ERR_FORMAT, "%s: the file ends within its EXR header", c->in->name);
    return IPOS_OK;
}

/* A name of 1..255 characters; *length 0 at the end of a header. */
static ipos_status name_at(cursor *c, size_t *length) {
    for (size_t n = 0; n <= 255; n++) {
        IP_TRY(need(c, n + 1));
        if (c->data[c->at + n] == 0) {
            *length = n;
            return IPOS_OK;
        }
    }
    return ip_fail(IPOS_ERR_FORMAT, "%s: a name in the EXR header is longer than 255 characters", c->in->name);
}

/* Steps over one attribute; *more is false at the end of a header. attribute, if given, points into the loaded bytes. */
static ipos_status attribute_at(cursor *c, ip_exr_attribute *attribute, bool *more) {
    size_t name = 0, type = 0;
    IP_TRY(name_at(c, &name));
    size_t start = c->at;
    c->at += name + 1;
    *more = name > 0;
    if (name == 0)
        return IPOS_OK;
    IP_TRY(name_at(c, &type));
    c->at += type + 1;
    IP_TRY(need(c, 4));
    uint32_t size;
    memcpy(&size, c->data + c->at, 4);
    c->at += 4;
    if (type == 0 || size > INT32_MAX) {
        char shown[48];
        return ip_fail(IPOS_ERR_FORMAT, "%s: EXR attribute \"%s\" is damaged", c->in->name, ip_exr_shown((const char *)c->data + start, shown));
    }
    IP_TRY(need(c, size));
    if (attribute) {
        const char *text = (const char *)c->data + start;
        *attribute = (ip_exr_attribute){text, text + name + 1, c->data + c->at, size};
    }
    c->at += size;
    return IPOS_OK;
}

/* Walks all headers once: loads them and counts the parts. */
static ipos_status load(cursor *c, bool multipart, size_t *parts) {
    for (*parts = 0;; ++*parts) {
        bool more = true;
        if (multipart && *parts > 0) {
            IP_TRY(need(c, 1));
            if (c->data[c->at] == 0) {
                c->at++;
                return IPOS_OK;
            }
        }
        if (*parts == MOST_PARTS)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: more than %d EXR parts", c->in->name, MOST_PARTS);
        for (size_t n = 0; more; n++) {
            if (n > MOST_ATTRIBUTES)
                return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: more than %d attributes in an EXR part", c->in->name, MOST_ATTRIBUTES);
            IP_TRY(attribute_at(c, NULL, &more));
        }
        if (!multipart) {
            *parts = 1;
            return IPOS_OK;
        }
    }
}

const ip_exr_attribute *ip_exr_find(const ip_exr_part *part, const char *name, const char *type) {
    for (size_t i = part->attribute_count; i-- > 0;)
        if (strcmp(part->attributes[i].name, name) == 0 && strcmp(part->attributes[i].type, type) == 0)
            return &part->attributes[i];
    return NULL;
}

static ipos_status required(const ip_exr_part *part, const char *where, const char *name, const char *type, const ip_exr_attribute **out) {
    *out = ip_exr_find(part, name, type);
    return *out ? IPOS_OK : ip_fail(IPOS_ERR_FORMAT, "%s: the attribute \"%s\" (%s) is missing", where, name, type);
}

static ipos_status window(const ip_exr_part *part, const char *where, const char *name, ipos_box *box) {
    const ip_exr_attribute *a;
    IP_TRY(required(part, where, name, "box2i", &a));
    int32_t v[4];
    memcpy(v, a->bytes, sizeof v);
    const int32_t far = INT32_MAX / 2;
    if (v[0] > v[2] || v[1] > v[3] || v[0] < -far || v[1] < -far || v[2] > far || v[3] > far)
        return ip_fail(IPOS_ERR_FORMAT, "%s: %s (%d, %d)-(%d, %d) is not a pixel rectangle", where, name, v[0], v[1], v[2], v[3]);
    *box = (ipos_box){v[0], v[1], v[2] - v[0] + 1, v[3] - v[1] + 1};
    return box->width > 0 && box->height > 0 ? IPOS_OK : ip_fail(IPOS_ERR_FORMAT, "%s: %s is too large", where, name);
}

static ipos_status check_tiles(ip_exr_part *part, const char *where) {
    const ip_exr_attribute *a;
    IP_TRY(required(part, where, "tiles", "tiledesc", &a));
    memcpy(&part->tile_width, a->bytes, 4);
    memcpy(&part->tile_height, a->bytes + 4, 4);
    part->tile_mode = a->bytes[8];
    if (part->tile_width < 1 || part->tile_height < 1 || part->tile_width > INT32_MAX / 2 || part->tile_height > INT32_MAX / 2 ||
        (part->tile_mode & 15) > 2 || part->tile_mode >> 4 > 1)
        return ip_fail(IPOS_ERR_FORMAT, "%s: tiles of %u x %u, mode %u", where, part->tile_width, part->tile_height, part->tile_mode);
    return IPOS_OK;
}

static ipos_status check_channels(const ip_exr_part *part, const char *where) {
    char name[48];
    for (size_t i = 0; i < part->channel_count; i++) {
        const ip_exr_channel *c = &part->channels[i];
        if (part->tiled && (c->xs != 1 || c->ys != 1))
            return ip_fail(IPOS_ERR_FORMAT, "%s: tiled, with the subsampled channel \"%s\"", where, ip_exr_shown(c->name, name));
        if (part->data.x % c->xs || part->data.width % c->xs || part->data.y % c->ys || part->data.height % c->ys)
            return ip_fail(IPOS_ERR_FORMAT, "%s: channel \"%s\" is sampled every %d x %d pixels, which the data window (%d, %d) %d x %d is no multiple of",
                where, ip_exr_shown(c->name, name), c->xs, c->ys, part->data.x, part->data.y, part->data.width, part->data.height);
        for (size_t k = 0; k < i; k++)
            if (strcmp(c->name, part->channels[k].name) == 0)
                return ip_fail(IPOS_ERR_FORMAT, "%s: two channels are called \"%s\"", where, ip_exr_shown(c->name, name));
    }
    return IPOS_OK;
}

/* Scan-line or tiled, flat or deep: by the flags in a single-part file, by the part's own type in a multi-part one. */
static ipos_status kind_of(ip_exr_part *part, uint32_t flags, const char *where) {
    part->tiled = (flags & IP_EXR_TILED) != 0;
    if (!(flags & (IP_EXR_MULTIPART | IP_EXR_DEEP)))
        return IPOS_OK;
    const ip_exr_attribute *a;
    IP_TRY(required(part, where, "type", "string", &a));
    static const char *const kinds[] = {"scanlineimage", "tiledimage", "deepscanline", "deeptile"};
    for (unsigned i = 0; i < IP_COUNT(kinds); i++) {
        if (a->size == strlen(kinds[i]) && memcmp(a->bytes, kinds[i], a->size) == 0) {
            part->tiled = i & 1;
            part->deep = i >= 2;
            return IPOS_OK;
        }
    }
    return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: it is neither a scan-line nor a tiled nor a deep image", where);
}

static ipos_status understand(ip_exr_part *part, uint32_t flags, const char *where) {
    const ip_exr_attribute *a;
    char name[48], type[48];
    for (size_t i = 0; i < part->attribute_count; i++) {
        a = &part->attributes[i];
        if (!ip_exr_value_ok(a->type, a->bytes, a->size))
            return ip_fail(IPOS_ERR_FORMAT, "%s: attribute \"%s\" of type %s has %u bytes, which cannot be", where, ip_exr_shown(a->name, name),
                ip_exr_shown(a->type, type), a->size);
    }
    IP_TRY(kind_of(part, flags, where));
    IP_TRY(window(part, where, "dataWindow", &part->data));
    IP_TRY(window(part, where, "displayWindow", &part->display));
    IP_TRY(required(part, where, "compression", "compression", &a));
    part->compression = a->bytes[0];
    if (part->compression > IP_EXR_DWAB)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: compression number %d is not known", where, part->compression);
    IP_TRY(required(part, where, "lineOrder", "lineOrder", &a));
    part->line_order = a->bytes[0];
    if (part->line_order > IP_EXR_RANDOM)
        return ip_fail(IPOS_ERR_FORMAT, "%s: line order %d", where, part->line_order);
    if (part->tiled)
        IP_TRY(check_tiles(part, where));
    IP_TRY(required(part, where, "channels", "chlist", &a));
    IP_TRY(ip_exr_parse_channels(a->bytes, a->size, where, &part->channels, &part->channel_count));
    IP_TRY(check_channels(part, where));
    part->chunk_count = ip_exr_all_chunks(part);
    if ((flags & IP_EXR_MULTIPART) || part->deep) {
        int32_t said;
        IP_TRY(required(part, where, "chunkCount", "int", &a));
        memcpy(&said, a->bytes, 4);
        if (said < 1 || (uint64_t)said != part->chunk_count)
            return ip_fail(IPOS_ERR_FORMAT, "%s: chunkCount is %d, expected %llu", where, said, (unsigned long long)part->chunk_count);
    }
    return IPOS_OK;
}

/* Fills the parts from the loaded bytes, and finds their chunk tables behind the headers. */
static ipos_status parse(ip_exr_file *file, cursor *c) {
    c->at = 8;
    for (size_t p = 0; p < file->part_count; p++) {
        ip_exr_part *part = &file->parts[p];
        size_t start = c->at;
        bool more = true;
        for (size_t n = 0; more; n++) {
            IP_TRY(attribute_at(c, NULL, &more));
            part->attribute_count = n;
        }
        part->attributes = ip_calloc(part->attribute_count + 1, sizeof *part->attributes);
        if (!part->attributes)
            return IPOS_ERR_NO_MEMORY;
        c->at = start;
        for (size_t n = 0; n <= part->attribute_count; n++)
            IP_TRY(attribute_at(c, &part->attributes[n], &more));
        char where[320];
        snprintf(where, sizeof where, file->part_count > 1 ? "%.255s: part %zu" : "%.255s", c->in->name, p);
        IP_TRY(understand(part, file->flags, where));
    }
    uint64_t at = file->header_size;
    for (size_t p = 0; p < file->part_count; p++) {
        file->parts[p].table_offset = at;
        if (file->parts[p].chunk_count > (c->in->size - at) / 8)
            return ip_fail(IPOS_ERR_FORMAT, "%s: the file ends within its chunk table (%llu chunks expected)", c->in->name,
                (unsigned long long)file->parts[p].chunk_count);
        at += 8 * file->parts[p].chunk_count;
    }
    return IPOS_OK;
}

ipos_status ip_exr_open(const ip_input *in, ip_exr_file *file) {
    memset(file, 0, sizeof *file);
    cursor c = {.in = in};
    ipos_status status = need(&c, 8);
    if (status == IPOS_OK) {
        uint32_t version;
        memcpy(&version, c.data + 4, 4);
        c.at = 8;
        file->in = in;
        file->flags = version & 0xffffff00u;
        if ((version & 255) != 2 || (file->flags & ~(uint32_t)(IP_EXR_TILED | IP_EXR_LONG_NAMES | IP_EXR_DEEP | IP_EXR_MULTIPART)))
            status = ip_fail(IPOS_ERR_UNSUPPORTED, "%s: EXR version %u with flags 0x%x is not known", in->name, version & 255, file->flags);
        else if ((file->flags & IP_EXR_TILED) && (file->flags & (IP_EXR_DEEP | IP_EXR_MULTIPART)))
            status = ip_fail(IPOS_ERR_FORMAT, "%s: EXR flags 0x%x contradict each other", in->name, file->flags);
    }
    if (status == IPOS_OK)
        status = load(&c, (file->flags & IP_EXR_MULTIPART) != 0, &file->part_count);
    file->header = c.data;
    file->header_size = c.at;
    if (status == IPOS_OK && !(file->parts = ip_calloc(file->part_count, sizeof *file->parts)))
        status = IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK)
        status = parse(file, &c);
    if (status != IPOS_OK)
        ip_exr_close(file);
    return status;
}

void ip_exr_close(ip_exr_file *file) {
    for (size_t i = 0; file->parts && i < file->part_count; i++) {
        ip_free(file->parts[i].channels);
        ip_free(file->parts[i].attributes);
    }
    ip_free(file->parts);
    ip_free(file->header);
    memset(file, 0, sizeof *file);
}
