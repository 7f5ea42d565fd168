/* A set scan or proxy that a production brings along: triangles from OBJ and PLY files.
 *
 * OBJ: Wavefront's "v" and "f" (all forms of indices, negative ones too); everything else is passed over. PLY: Turk, "The PLY polygon file format"
 * (1994), ascii and binary little-endian, elements "vertex" (x, y, z) and "face" (vertex_indices or vertex_index); other elements and properties are
 * passed over. Polygons become fans of triangles; those with less than three corners are dropped. */
#ifndef IP_MESH_H
#define IP_MESH_H

#include "core.h"

typedef struct ip_mesh {
    size_t points, triangles;
    float *at;        /* x,y,z, finite */
    uint32_t *corner; /* three to a triangle, each below points */
} ip_mesh;

/* By what the file begins with. IPOS_ERR_FORMAT with file, line (or byte), what is there and what was expected. */
ipos_status ip_mesh_read(const char *path, ip_mesh *out);
/* The same of bytes at hand; a NUL follows them. name: of the file, for texts. */
ipos_status ip_mesh_parse(const char *bytes, size_t size, const char *name, ip_mesh *out);
void ip_mesh_free(ip_mesh *mesh);

#endif
