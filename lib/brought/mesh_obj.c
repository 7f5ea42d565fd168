/* Wavefront OBJ: points and faces. */
#include "mesh_parts.h"

enum { CORNERS = 1024 };

static ipos_status read_point(ip_mesh_maker *maker, ip_mesh_line *line, const char *where) {
    double at[3];
    char word[64];
    for (int k = 0; k < 3; k++) {
        if (!ip_mesh_word(line, word))
            return ip_mesh_wrong(maker, where, "a point with %d numbers: expected v X Y Z", k);
        if (!ip_parse_real(word, &at[k]))
            return ip_mesh_wrong(maker, where, "\"%s\" is no number: expected v X Y Z", word);
    }
    return ip_mesh_add_point(maker, at, where);
}

/* 7, 7/1, 7//2, 7/1/2: the first is the point, counted from 1, or back from the last one read. */
static ipos_status read_face(ip_mesh_maker *maker, ip_mesh_line *line, const char *where) {
    int64_t corner[CORNERS];
    size_t count = 0;
    char word[64];
    while (ip_mesh_word(line, word)) {
        int64_t index;
        char *slash = strchr(word, '/');
        if (slash)
            *slash = 0;
        if (!ip_parse_int(word, &index) || index == 0)
            return ip_mesh_wrong(maker, where, "\"%s\" is no index of a point: expected f A B C, counted from 1", word);
        if (count == CORNERS)
            return ip_mesh_wrong(maker, where, "a face of more than %d corners: split it", CORNERS);
        corner[count++] = index > 0 ? index - 1 : (int64_t)maker->mesh.points + index;
    }
    return ip_mesh_add_face(maker, corner, count, where);
}

ipos_status ip_mesh_obj(ip_mesh_maker *maker, const char *bytes, size_t size) {
    const char *at = bytes, *end = bytes + size;
    ip_mesh_line line;
    char word[64], where[32];
    for (size_t number = 1; ip_mesh_next_line(&at, end, &line); number++) {
        if (!ip_mesh_word(&line, word))
            continue;
        snprintf(where, sizeof where, "line %zu", number);
        if (number == 1 && memchr(bytes, 0, IP_MIN(size, (size_t)512)))
            return ip_mesh_wrong(maker, where, "this is neither an OBJ nor a PLY file");
        if (!strcmp(word, "v"))
            IP_TRY(read_point(maker, &line, where));
        else if (!strcmp(word, "f"))
            IP_TRY(read_face(maker, &line, where));
    }
    return IPOS_OK;
}
