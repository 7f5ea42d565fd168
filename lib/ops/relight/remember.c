/* What an earlier run found in the same frames: the set and its frames, kept by a hash of all they rest on. */
#include "relight_op.h"

static const char WHAT[] = "relight set 4"; /* raised when the making of a set changes what comes out */
enum { KEPT_SET = IR_KEPT_FLOW + 1, KEPT_GRAIN };

static void add_text(ip_sha256 *hash, const char *text) {
    ip_sha256_add(hash, text, strlen(text) + 1);
}

/* Pictures as the analysis sees them. */
static ipos_status add_frames(ir_scene *scene, ip_sha256 *hash) {
    for (size_t i = 0; i < scene->footage->count; i++) {
        struct ir_slot *slot;
        if (!ip_alive(scene->pulse))
            return ip_fail(IPOS_ERR_CANCELLED, "relight: cancelled");
        IP_TRY(ir_scene_frame(scene, i, &slot));
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < scene->height; y++)
                ip_sha256_add(hash, ip_row(&slot->light.c[c], y), (size_t)scene->width * sizeof(float));
    }
    return IPOS_OK;
}

/* A pass rests on its frames. */
static ipos_status add_clip(const ir_scene *scene, ip_sha256 *hash, ip_clip *clip) {
    for (size_t i = 0; clip->host && i < scene->footage->count; i++) {
        ipos_frame *frame;
        char hex[65];
        IP_TRY(ip_clip_frame(clip, scene->footage->numbers[i], &frame));
        if (!ip_frame_hash(frame, hex))
            return ip_fail(IPOS_ERR_NO_MEMORY, "a frame's hash cannot be made");
        add_text(hash, hex);
    }
    return IPOS_OK;
}

static ipos_status add_brought(ir_scene *scene, ip_sha256 *hash) {
    static const char *const names[] = {"camera", "camera_models", "up", "metres", "depth_along", "normals_axes"};
    ir_brought *brought = scene->settings->brought;
    if (!brought)
        return IPOS_OK;
    for (size_t i = 0; i < IP_COUNT(names); i++)
        add_text(hash, ip_options_text(scene->host->options, names[i]));
    add_text(hash, brought->mesh_hash);
    ip_clip *clips[] = {&brought->depth, &brought->position, &brought->normals};
    for (size_t i = 0; i < IP_COUNT(clips); i++) {
        ipos_status status = add_clip(scene, hash, clips[i]);
        if (status != IPOS_OK && status != IPOS_ERR_NOT_FOUND) /* one that lacks a frame is told of where the set is made */
            return status;
        add_text(hash, clips[i]->host ? clips[i]->clip->role : "");
    }
    return IPOS_OK;
}

static ipos_status find_key(ir_scene *scene, char key[65]) {
    const ir_settings *s = scene->settings;
    ip_sha256 *hash = ip_sha256_new();
    float numbers[2] = {s->focal, s->camera_height};
    int64_t sizes[3] = {scene->width, scene->height, (int64_t)scene->footage->count};
    if (!hash)
        return IPOS_ERR_NO_MEMORY;
    add_text(hash, WHAT);
    ip_sha256_add(hash, numbers, sizeof numbers);
    ip_sha256_add(hash, sizes, sizeof sizes);
    ipos_status status = add_frames(scene, hash);
    if (status == IPOS_OK)
        status = add_brought(scene, hash);
    if (!ip_sha256_end(hash, key) && status == IPOS_OK)
        status = ip_fail(IPOS_ERR_NO_MEMORY, "a hash cannot be made");
    return status;
}

/* The name of what is kept of a frame, or of the set and its frames, or of the shot. Besides what the set rests on, old shadows rest on the old sun and how
 * bright it is beside its sky; and what grain can be measured, on how the clip is stored: its name stands for its files. */
static ipos_status key_of(const ir_scene *scene, int what, int64_t index, char key[65]) {
    static const char *const names[] = {[IR_KEPT_SKY] = "sky", [IR_KEPT_SHADOWS] = "old shadows", [IR_KEPT_FLOW] = "flow", [KEPT_SET] = "set", [KEPT_GRAIN] = "grain"};
    const ip_daylight *old = &scene->settings->pair.old;
    ip_sha256 *hash = ip_sha256_new();
    if (hash) {
        add_text(hash, scene->key);
        add_text(hash, names[what]);
        ip_sha256_add(hash, &index, sizeof index);
    }
    if (hash && what == IR_KEPT_SHADOWS) {
        ip_sha256_add(hash, old->toward, sizeof old->toward);
        ip_sha256_add(hash, old->sun, sizeof old->sun);
        ip_sha256_add(hash, old->ambient, sizeof old->ambient);
    }
    if (hash && what == KEPT_GRAIN)
        add_text(hash, scene->host->clips[0].name);
    return hash && ip_sha256_end(hash, key) ? IPOS_OK : ip_fail(IPOS_ERR_NO_MEMORY, "a hash cannot be made");
}

static ipos_status recall_bytes(ir_scene *scene, int what, int64_t index, void **bytes, size_t *size) {
    char key[65];
    *bytes = NULL;
    *size = 0;
    if (!scene->key[0])
        return IPOS_OK;
    IP_TRY(key_of(scene, what, index, key));
    return scene->host->recall(scene->host, key, bytes, size);
}

static ipos_status keep_bytes(ir_scene *scene, int what, int64_t index, const void *bytes, size_t size) {
    char key[65];
    if (!scene->key[0])
        return IPOS_OK;
    IP_TRY(key_of(scene, what, index, key));
    return scene->host->keep(scene->host, key, bytes, size);
}

static ipos_status recall(void *user, int64_t index, void **bytes, size_t *size) { return recall_bytes(user, KEPT_SET, index, bytes, size); }

static ipos_status keep(void *user, int64_t index, const void *bytes, size_t size) { return keep_bytes(user, KEPT_SET, index, bytes, size); }

static ipos_status recall_planes(ir_scene *scene, int what, size_t index, const ip_plane_f *planes, int count, bool *found) {
    size_t size, row = (size_t)planes->width * sizeof(float), plane = row * (size_t)planes->height;
    void *bytes;
    *found = false;
    IP_TRY(recall_bytes(scene, what, (int64_t)index, &bytes, &size));
    *found = bytes && size == (size_t)count * plane;
    for (int k = 0; k < count && *found; k++)
        for (int y = 0; y < planes->height; y++)
            memcpy(ip_row(&planes[k], y), (const char *)bytes + (size_t)k * plane + (size_t)y * row, row);
    ip_free(bytes);
    return IPOS_OK;
}

static ipos_status keep_planes(ir_scene *scene, int what, size_t index, const ip_plane_f *planes, int count) {
    ip_buffer bytes = {0};
    if (!scene->key[0])
        return IPOS_OK;
    for (int k = 0; k < count; k++)
        for (int y = 0; y < planes->height; y++)
            ip_buffer_add(&bytes, ip_row(&planes[k], y), (size_t)planes->width * sizeof(float));
    ipos_status status = bytes.failed ? IPOS_ERR_NO_MEMORY : keep_bytes(scene, what, (int64_t)index, bytes.data, bytes.size);
    ip_buffer_free(&bytes);
    return status;
}

ipos_status ir_recall_plane(ir_scene *scene, int what, size_t index, const ip_plane_f *plane, bool *found) {
    return recall_planes(scene, what, index, plane, 1, found);
}

ipos_status ir_keep_plane(ir_scene *scene, int what, size_t index, const ip_plane_f *plane) {
    return keep_planes(scene, what, index, plane, 1);
}

/* Pictures of a few pixels are searched as they are: their flows are not kept. */
static bool is_half(const ir_scene *scene, const ip_plane_f *searched) {
    return searched->width == (scene->width + 1) / 2 && searched->height == (scene->height + 1) / 2;
}

ipos_status ir_recall_flow(ir_scene *scene, int way, size_t index, ip_plane_f searched[2]) {
    bool found;
    IP_TRY(ip_planes_new((scene->width + 1) / 2, (scene->height + 1) / 2, searched, 2));
    ipos_status status = recall_planes(scene, IR_KEPT_FLOW, 2 * index + (size_t)way, searched, 2, &found);
    if (status != IPOS_OK || !found)
        ip_planes_free(searched, 2);
    return status;
}

ipos_status ir_keep_flow(ir_scene *scene, int way, size_t index, const ip_plane_f searched[2]) {
    return is_half(scene, searched) ? keep_planes(scene, IR_KEPT_FLOW, 2 * index + (size_t)way, searched, 2) : IPOS_OK;
}

ipos_status ir_recall_grain(ir_scene *scene, ip_shot_grain *grain, bool *found) {
    void *bytes;
    size_t size;
    IP_TRY(recall_bytes(scene, KEPT_GRAIN, 0, &bytes, &size));
    *found = bytes && size == sizeof *grain;
    if (*found)
        memcpy(grain, bytes, size);
    ip_free(bytes);
    return IPOS_OK;
}

ipos_status ir_keep_grain(ir_scene *scene, const ip_shot_grain *grain) { return keep_bytes(scene, KEPT_GRAIN, 0, grain, sizeof *grain); }

ipos_status ir_remember(ir_scene *scene, ip_set_source *source) {
    if (!scene->host->recall || !scene->host->keep)
        return IPOS_OK;
    IP_TRY(find_key(scene, scene->key));
    source->recall = recall;
    source->keep = keep;
    return IPOS_OK;
}
