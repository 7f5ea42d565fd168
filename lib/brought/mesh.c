#include "mesh_parts.h"

#include <math.h>
#include <stdarg.h>

static const uint64_t MOST_BYTES = (uint64_t)8 << 30;

ipos_status ip_mesh_wrong(const ip_mesh_maker *maker, const char *where, const char *format, ...) {
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return ip_fail(IPOS_ERR_FORMAT, "%s, %s: %s", maker->name, where, text);
}

static ipos_status grow(void **block, size_t *room, size_t count, size_t bytes) {
    if (count < *room)
        return IPOS_OK;
    size_t more = *room ? 2 * *room : 4096;
    void *grown = ip_realloc(*block, more * bytes);
    if (!grown)
        return IPOS_ERR_NO_MEMORY;
    *block = grown;
    *room = more;
    return IPOS_OK;
}

ipos_status ip_mesh_add_point(ip_mesh_maker *maker, const double at[3], const char *where) {
    ip_mesh *m = &maker->mesh;
    for (int k = 0; k < 3; k++)
        if (!(fabs(at[k]) < 1e9))
            return ip_mesh_wrong(maker, where, "a coordinate of %g: expected finite numbers below 1e9", at[k]);
    if (m->points == UINT32_MAX)
        return ip_mesh_wrong(maker, where, "more than %u points: thin the mesh out", UINT32_MAX);
    IP_TRY(grow((void **)&m->at, &maker->point_room, m->points, 3 * sizeof *m->at));
    for (int k = 0; k < 3; k++)
        m->at[3 * m->points + (size_t)k] = (float)at[k];
    m->points++;
    return IPOS_OK;
}

ipos_status ip_mesh_add_face(ip_mesh_maker *maker, const int64_t *corner, size_t count, const char *where) {
    ip_mesh *m = &maker->mesh;
    for (size_t i = 0; i < count; i++)
        if (corner[i] < 0 || corner[i] >= (int64_t)m->points)
            return ip_mesh_wrong(maker, where, "a face names point %lld of %zu", (long long)corner[i], m->points);
    for (size_t i = 2; i < count; i++) {
        IP_TRY(grow((void **)&m->corner, &maker->triangle_room, m->triangles, 3 * sizeof *m->corner));
        uint32_t *to = m->corner + 3 * m->triangles++;
        to[0] = (uint32_t)corner[0];
        to[1] = (uint32_t)corner[i - 1];
        to[2] = (uint32_t)corner[i];
    }
    return IPOS_OK;
}

bool ip_mesh_next_line(const char **at, const char *end, ip_mesh_line *line) {
    if (*at >= end)
        return false;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    *line = (ip_mesh_line){*at, stop ? stop : end};
    *at = stop ? stop + 1 : end;
    return true;
}

bool ip_mesh_word(ip_mesh_line *line, char word[64]) {
    size_t length = 0;
    while (line->at < line->end && (unsigned char)*line->at <= ' ')
        line->at++;
    if (line->at == line->end)
        return false;
    for (; line->at < line->end && (unsigned char)*line->at > ' '; line->at++)
        if (length < 63)
            word[length++] = *line->at;
    word[length] = 0;
    return true;
}

void ip_mesh_free(ip_mesh *mesh) {
    ip_free(mesh->at);
    ip_free(mesh->corner);
    *mesh = (ip_mesh){0};
}

ipos_status ip_mesh_parse(const char *bytes, size_t size, const char *name, ip_mesh *out) {
    ip_mesh_maker maker = {.name = name};
    bool ply = size > 3 && !memcmp(bytes, "ply", 3) && (bytes[3] == '\n' || bytes[3] == '\r');
    *out = (ip_mesh){0};
    ipos_status status = ply ? ip_mesh_ply(&maker, bytes, size) : ip_mesh_obj(&maker, bytes, size);
    if (status == IPOS_OK && !maker.mesh.triangles)
        status = ip_fail(IPOS_ERR_FORMAT, "%s: there is no triangle in it (%zu points): expected an OBJ or PLY file with faces", name, maker.mesh.points);
    if (status == IPOS_OK)
        *out = maker.mesh;
    else
        ip_mesh_free(&maker.mesh);
    return status;
}

ipos_status ip_mesh_read(const char *path, ip_mesh *out) {
    void *bytes;
    size_t size;
    *out = (ip_mesh){0};
    IP_TRY(ip_file_read(path, MOST_BYTES, &bytes, &size));
    ipos_status status = ip_mesh_parse(bytes, size, path, out);
    ip_free(bytes);
    return status;
}
