/* What a person painted: where a shadow is to fall or not, where there was one or not, what keeps its light; carried through the shot. */
#ifndef IP_RELIGHT_STROKES_H
#define IP_RELIGHT_STROKES_H

#include "gobo.h"
#include "op.h"
#include "set.h"
#include "surface.h"

typedef enum ir_stroke_kind { IR_ADD, IR_REMOVE, IR_OLD_ADD, IR_OLD_REMOVE, IR_GOBO, IR_PROTECT, IR_KINDS } ir_stroke_kind;

typedef struct ir_stroke {
    ir_stroke_kind kind;
    char *name;      /* strokes of one name and kind on several frames are one, keyed there */
    int64_t frame;
    ip_point *at;    /* continuous pixels of the data window */
    size_t count;
    float width;     /* 0: not said */
} ir_stroke;
typedef struct ir_strokes {
    ir_stroke *at;   /* as they were given */
    size_t count;
} ir_strokes;
/* From the setting's text. IPOS_ERR_ARGUMENT with the stroke's number and what was expected. strokes.c */
ipos_status ir_strokes_parse(const char *json, ir_strokes *out);
/* Whether each is on a frame of the shots that are asked for. */
ipos_status ir_strokes_check(const ir_strokes *strokes, const ip_op_host *host);
void ir_strokes_free(ir_strokes *strokes);
const char *ir_stroke_kind_name(ir_stroke_kind kind);

/* A stroke in the shot under way. */
typedef struct ir_mark {
    const ir_stroke *stroke;
    size_t index;    /* of its frame in the shot */
    ip_brush brush;  /* in pixels of the analysis */
    ip_gobo gobo;
    enum { IR_BY_MOTION, IR_BY_ROOM, IR_BY_THINGS, IR_BY_GOBO } by;
} ir_mark;
typedef struct ir_marks {
    ir_mark *at;     /* by frame */
    size_t count;
    struct ir_key {  /* frames that were painted on, with their shape where the set is known */
        size_t index;
        ip_set_frame shape;
        ip_plane_f luma;
    } *key;
    size_t keys;
    ip_plane_f path[2]; /* from frame path_from to frame path_to; {0}: none yet */
    size_t path_from, path_to;
} ir_marks;

/* marks.c. The scene's frames and set are known. Strokes of other shots are passed over; one that does not touch its picture is
 * IPOS_ERR_ARGUMENT. */
struct ir_scene;
ipos_status ir_marks_open(struct ir_scene *scene, const ir_strokes *strokes);
void ir_marks_free(ir_marks *marks);
/* Shadows old and new of a frame as they were painted, over what was found. */
ipos_status ir_marks_apply(struct ir_scene *scene, size_t index, const ip_surface *surface);
/* What keeps its light, 0..1, of the analysis' size, allocated; {0} where nothing was painted. */
ipos_status ir_marks_keep(struct ir_scene *scene, size_t index, ip_plane_f *keep);
/* One mark as it lies on a frame, 0..1 into out; tmp: room of its size. marks_carry.c */
ipos_status ir_mark_carry(struct ir_scene *scene, const ir_mark *mark, size_t index, const ip_plane_f *out, ip_plane_f *tmp);
/* The painted frame of that index; NULL where nothing was painted on it. */
const struct ir_key *ir_marks_key(const ir_marks *marks, size_t index);
/* JSON for the details: a list of the shot's strokes and by what they are carried. */
void ir_marks_tell(const ir_marks *marks, ip_buffer *to);

#endif
