/* A set and its frames as bytes, for a cache. Of this machine alone: its byte order, its floats. */
#include "set_parts.h"

#include <stddef.h>

enum { VERSION = 2, LINE = 8192 };

/* What is added to these has to be packed too (and VERSION raised). */
_Static_assert(sizeof(void *) != 8 || (sizeof(ip_set_frame) == 320 && sizeof(ip_view) == 144 && sizeof(ip_known) == 120), "pack what was added");

typedef struct reading {
    const char *at;
    size_t left;
    bool failed;
} reading;

static void take(reading *r, void *to, size_t size) {
    if (r->failed || size > r->left) {
        r->failed = true;
        memset(to, 0, size);
        return;
    }
    memcpy(to, r->at, size);
    r->at += size;
    r->left -= size;
}

static void put_plane(ip_buffer *out, const ip_plane_f *plane) {
    int32_t size[2] = {plane->data ? plane->width : 0, plane->data ? plane->height : 0};
    ip_buffer_add(out, size, sizeof size);
    for (int y = 0; y < size[1]; y++)
        ip_buffer_add(out, ip_row(plane, y), (size_t)size[0] * sizeof(float));
}

/* Small whole numbers: a byte each. */
static void put_bytes(ip_buffer *out, const ip_plane_f *plane) {
    char line[LINE];
    int32_t size[2] = {plane->width, plane->height};
    ip_buffer_add(out, size, sizeof size);
    for (int y = 0; y < size[1]; y++)
        for (int x = 0; x < size[0];) {
            int count = 0;
            for (; count < (int)sizeof line && x < size[0]; x++)
                line[count++] = (char)(int)ip_row(plane, y)[x];
            ip_buffer_add(out, line, (size_t)count);
        }
}

static ipos_status plane_of(reading *r, int width, int height, ip_plane_f *out) {
    int32_t size[2];
    take(r, size, sizeof size);
    if (!size[0] && !size[1])
        return IPOS_OK;
    if (size[0] != width || size[1] != height)
        r->failed = true;
    return r->failed ? IPOS_OK : ip_plane_new(width, height, out);
}

static ipos_status take_plane(reading *r, int width, int height, ip_plane_f *out) {
    IP_TRY(plane_of(r, width, height, out));
    for (int y = 0; y < out->height; y++)
        take(r, ip_row(out, y), (size_t)out->width * sizeof(float));
    return IPOS_OK;
}

static ipos_status take_bytes(reading *r, int width, int height, ip_plane_f *out) {
    IP_TRY(plane_of(r, width, height, out));
    r->failed = r->failed || !out->data;
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width;) {
            int8_t line[LINE];
            int count = IP_MIN((int)sizeof line, out->width - x);
            take(r, line, (size_t)count);
            for (int i = 0; i < count; i++)
                ip_row(out, y)[x++] = line[i];
        }
    return IPOS_OK;
}

static void put_head(ip_buffer *out, uint64_t index) {
    uint64_t head[2] = {VERSION, index};
    ip_buffer_add(out, head, sizeof head);
}

static void take_head(reading *r, uint64_t index) {
    uint64_t head[2];
    take(r, head, sizeof head);
    r->failed = r->failed || head[0] != VERSION || head[1] != index;
}

/* Numbers of frames that agree are whole. */
static void put_view(ip_buffer *out, const ip_view *view) {
    ip_buffer_add(out, &view->pose, sizeof view->pose);
    put_plane(out, &view->inverse);
    put_bytes(out, &view->agreeing);
}

static ipos_status take_view(reading *r, int width, int height, ip_view *view) {
    take(r, &view->pose, sizeof view->pose);
    IP_TRY(take_plane(r, width, height, &view->inverse));
    IP_TRY(take_bytes(r, width, height, &view->agreeing));
    r->failed = r->failed || !view->inverse.data;
    return IPOS_OK;
}

void ip_set_frame_pack(const ip_set_frame *f, size_t index, ip_buffer *out) {
    put_head(out, index);
    put_view(out, &f->view);
    put_plane(out, &f->room);
    put_bytes(out, &f->wall);
    put_bytes(out, &f->kind);
    for (int k = 0; k < 3; k++)
        put_plane(out, &f->normal[k]);
}

ipos_status ip_set_frame_unpack(const void *bytes, size_t size, size_t index, int width, int height, ip_set_frame *out, bool *fits) {
    reading r = {bytes, size, false};
    *out = (ip_set_frame){.index = index};
    take_head(&r, index);
    ipos_status status = take_view(&r, width, height, &out->view);
    if (status == IPOS_OK)
        status = take_plane(&r, width, height, &out->room);
    if (status == IPOS_OK)
        status = take_bytes(&r, width, height, &out->wall);
    if (status == IPOS_OK)
        status = take_bytes(&r, width, height, &out->kind);
    for (int k = 0; k < 3 && status == IPOS_OK; k++)
        status = take_plane(&r, width, height, &out->normal[k]);
    *fits = status == IPOS_OK && !r.failed && !r.left && out->room.data;
    if (!*fits)
        ip_set_frame_free(out);
    return status;
}

/* What of a set lies in itself. Followed points are not kept: once the set stands nobody asks for them. */
#define FIELD(member) {offsetof(ip_set, member), sizeof((ip_set *)NULL)->member}
static const struct {
    size_t at, size;
} fields[] = {FIELD(reason), FIELD(path.lens), FIELD(path.error), FIELD(path.parallax), FIELD(room), FIELD(near_inverse), FIELD(far_inverse), FIELD(middle),
    FIELD(keys), FIELD(key), FIELD(known.turn), FIELD(known.foot), FIELD(known.scale)};

void ip_set_pack(const ip_set *set, ip_buffer *out) {
    size_t count = set->path.count;
    uint8_t has_given = set->known.pose != NULL;
    put_head(out, count);
    for (size_t i = 0; i < IP_COUNT(fields); i++)
        ip_buffer_add(out, (const char *)set + fields[i].at, fields[i].size);
    ip_buffer_add(out, &has_given, sizeof has_given);
    if (set->path.pose) {
        ip_buffer_add(out, set->path.pose, count * sizeof *set->path.pose);
        ip_buffer_add(out, set->path.known, count);
    }
    if (has_given)
        ip_buffer_add(out, set->known.pose, count * sizeof *set->known.pose);
    for (size_t k = 0; k < set->keys && !set->reason[0]; k++)
        put_view(out, &set->view[k]);
}

static ipos_status take_views(reading *r, ip_set *set) {
    for (size_t k = 0; k < set->keys && !r->failed; k++) {
        IP_TRY(take_view(r, set->source.width, set->source.height, &set->view[k]));
        r->failed = r->failed || set->key[k] >= set->path.count;
    }
    return IPOS_OK;
}

static ipos_status take_set(reading *r, ip_set *set) {
    size_t count = set->source.track.count;
    uint8_t has_given;
    take_head(r, count);
    for (size_t i = 0; i < IP_COUNT(fields); i++)
        take(r, (char *)set + fields[i].at, fields[i].size);
    take(r, &has_given, sizeof has_given);
    set->reason[sizeof set->reason - 1] = 0;
    r->failed = r->failed || set->keys > IP_KEYS || set->middle >= count || set->room.walls > IP_WALLS;
    if (r->failed || set->reason[0])
        return IPOS_OK;
    set->path.count = count;
    set->path.pose = ip_calloc(count, sizeof *set->path.pose);
    set->path.known = ip_calloc(count, 1);
    set->known.pose = has_given ? ip_calloc(count, sizeof *set->known.pose) : NULL;
    if (!set->path.pose || !set->path.known || (has_given && !set->known.pose))
        return IPOS_ERR_NO_MEMORY;
    take(r, set->path.pose, count * sizeof *set->path.pose);
    take(r, set->path.known, count);
    if (has_given)
        take(r, set->known.pose, count * sizeof *set->known.pose);
    return take_views(r, set);
}

ipos_status ip_set_unpack(const void *bytes, size_t size, const ip_set_source *source, ip_set *out, bool *fits) {
    reading r = {bytes, size, false};
    const ip_mesh *mesh = source->given.mesh;
    *out = (ip_set){.source = *source};
    ipos_status status = take_set(&r, out);
    *fits = status == IPOS_OK && !r.failed && (out->reason[0] || !r.left);
    if (*fits && mesh && !out->reason[0])
        status = ip_rays_new(mesh->at, mesh->points, mesh->corner, mesh->triangles, &out->known.rays);
    if (!*fits || status != IPOS_OK)
        ip_set_free(out);
    return status;
}
