/* Files and clips that were brought along. */
#include "relight_op.h"

#include <math.h>

static ipos_status open_numbers(ip_op_host *host, const char *role, ip_clip *clip) {
    IP_TRY(ir_open_role(host, role, clip));
    if (clip->host && clip->encoding->kind != IP_ENCODING_DATA)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: clip %s holds pictures (\"%s\"), numbers are expected: ingest it with the encoding data", role,
            clip->clip->name, clip->encoding->name);
    return IPOS_OK;
}

static ipos_status read_metres(const ip_op_host *host, double *out) {
    const char *text = ip_options_text(host->options, "metres");
    *out = -1;
    if (!*text || !strcmp(text, "auto"))
        return IPOS_OK;
    if (!ip_parse_real(text, out) || !(*out >= 0 && *out <= 1e6))
        return ip_fail(IPOS_ERR_ARGUMENT, "metres: \"%s\" is not a number from 0 to 1e6, or auto", text);
    return IPOS_OK;
}

static ipos_status read_mesh(const char *path, ir_brought *b) {
    IP_TRY(ip_mesh_read(path, &b->mesh));
    return ip_sha256_file(path, b->mesh_hash, NULL);
}

static ipos_status read_all(ir_brought *b, ip_op_host *host) {
    const char *camera = ip_options_text(host->options, "camera"), *mesh = ip_options_text(host->options, "mesh"), *up = ip_options_text(host->options, "up");
    ip_given_words words = {.up = up, .models = ip_options_text(host->options, "camera_models")};
    IP_TRY(read_metres(host, &words.metres));
    IP_TRY(open_numbers(host, "depth", &b->depth));
    IP_TRY(open_numbers(host, "position", &b->position));
    IP_TRY(open_numbers(host, "normals", &b->normals));
    b->along_ray = !strcmp(ip_options_text(host->options, "depth_along"), "ray");
    b->normals_of_camera = !strcmp(ip_options_text(host->options, "normals_axes"), "camera");
    b->metres = words.metres < 0 ? 1 : words.metres;
    b->up[up[up[0] == '-'] == 'z' ? 2 : 1] = up[0] == '-' ? -1 : 1;
    if (*camera)
        IP_TRY(ip_given_camera_read(camera, &words, &b->camera));
    if (*mesh && !*camera && !b->position.host)
        return ip_fail(IPOS_ERR_ARGUMENT, "mesh: where the camera stands in it is not known: give camera (or position) too");
    if (b->normals.host && !b->normals_of_camera && !*camera && !b->position.host)
        return ip_fail(IPOS_ERR_ARGUMENT, "normals: how the world lies to the picture is not known: give camera (or position) too, or normals in the camera's "
            "axes (normals_axes=camera)");
    return *mesh ? read_mesh(mesh, b) : IPOS_OK;
}

ipos_status ir_brought_open(ir_brought *brought, ip_op_host *host) {
    *brought = (ir_brought){0};
    ipos_status status = read_all(brought, host);
    if (status != IPOS_OK)
        ir_brought_close(brought);
    return status;
}

void ir_brought_close(ir_brought *brought) {
    ip_given_camera_free(&brought->camera);
    ip_mesh_free(&brought->mesh);
    ip_clip_close(&brought->depth);
    ip_clip_close(&brought->position);
    ip_clip_close(&brought->normals);
    *brought = (ir_brought){0};
}
