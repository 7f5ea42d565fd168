/* A mesh while it is read; only for mesh.c, mesh_obj.c, mesh_ply.c. */
#ifndef IP_MESH_PARTS_H
#define IP_MESH_PARTS_H

#include "mesh.h"

typedef struct ip_mesh_maker {
    const char *name;
    ip_mesh mesh;
    size_t point_room, triangle_room;
} ip_mesh_maker;
/* where: "line 12" or "byte 300", for texts. */
ipos_status ip_mesh_add_point(ip_mesh_maker *maker, const double at[3], const char *where);
ipos_status ip_mesh_add_face(ip_mesh_maker *maker, const int64_t *corner, size_t count, const char *where);
ipos_status ip_mesh_wrong(const ip_mesh_maker *maker, const char *where, const char *format, ...) IP_PRINTF(3, 4);

ipos_status ip_mesh_obj(ip_mesh_maker *maker, const char *bytes, size_t size);
ipos_status ip_mesh_ply(ip_mesh_maker *maker, const char *bytes, size_t size);

/* One line of a text: its words, numbers read from them. */
typedef struct ip_mesh_line {
    const char *at, *end;
} ip_mesh_line;
/* The next line of bytes from *at on (without its end); false: no more. */
bool ip_mesh_next_line(const char **at, const char *end, ip_mesh_line *line);
/* Copies the next word into word (a longer one is cut) and steps over it; false: none left. */
bool ip_mesh_word(ip_mesh_line *line, char word[64]);

#endif
