/* interpos/look.h: the look, the measured fingerprint of a production's footage. Part of libinterpos. */
#ifndef INTERPOS_LOOK_H
#define INTERPOS_LOOK_H

#include <interpos/project.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What camera, lens and grade leave in the pictures, measured. Immutable, may be shared between threads. It holds on to nothing: it may
 * outlive the project it was measured in, and the context. */
typedef struct ipos_look ipos_look;

typedef struct ipos_look_config {
    uint32_t struct_size;
    int32_t threads;   /* 0: as the context says; the numbers are the same with any */
    const char *clips; /* comma-separated clip names; NULL: every clip whose permission allows the operation "look". Naming one whose
                          permission does not is IPOS_ERR_PERMISSION, one that is not in the project IPOS_ERR_NOT_FOUND. */
    const char *marks; /* what a person marked on single frames, for skin and light, which are measured nowhere else; NULL: nothing.
                          {"marks":[{"clip":"A001","frame":1012,"kind":"skin","box":[x,y,width,height],"name":"Nora"}]}
                          kind: "skin" or "light" (one surface, partly lit, partly in shade); box: pixels of the data window;
                          name: for people, may be left out. Marks of clips that are not measured are IPOS_ERR_NOT_FOUND. */
    int32_t shots;     /* of a clip, the longest so many are measured; 0: 3 */
} ipos_look_config;

/* Measures the look of clips in the engine. Blocks; progress (may be NULL) on this thread, it can stop the work. config NULL: all as
 * preset. Nothing in the project changes, no frame is altered, and nothing is decided: what cannot be measured on this footage says so.
 *
 * Sampled are, of every shot measured (cuts and gaps end a shot, repeated frames are left out): 16 frames spread over it for tone, at most 8 of
 * them for bloom, 6 for lateral chromatic aberration and for sharpness; 12 in four runs of three for grain; 16 with partners 4 and 8 frames
 * later for the vignette; every fourth, at most 48, for white balance and its drift; up to 48 consecutive ones from the middle for flicker;
 * the marked frames. */
IPOS_API IPOS_NODISCARD ipos_status ipos_look_measure(ipos_project *project, const ipos_look_config *config, ipos_progress_fn progress,
    void *user, ipos_look **out);
IPOS_API void ipos_look_retain(ipos_look *look);
IPOS_API void ipos_look_release(ipos_look *look);

/* The look as JSON (ipos_free), and back: the same numbers to the last bit.
 *   {"format":"interpos.look.1","project":id,
 *    "clips":[{"clip","tags":[],"encoding","width","height","frames","shots":[[first,last]...], MEASUREMENTS, "skin":[],"light":[]}],
 *    "tags":[{"tag":"lens=35","clips":[],"left_out":[],"encoding","width","height", MEASUREMENTS}],
 *    "all":{"clips":[],"left_out":[],"encoding","width","height", MEASUREMENTS}}
 * MEASUREMENTS are "grain", "bloom", "vignette", "chroma", "sharp", "tone", "white" and "flicker". In each, a "reading" ("level" and "drift" for
 * "white"; "grain" itself) has "confidence" 0..1, the number of "frames" it rests on, and where nothing could be measured a "reason"; the
 * numbers beside it mean nothing then. A clip of several shots, a tag and the project have the median of theirs, weighed by confidence; counts
 * are summed. Only pictures of one size and encoding can be put together: those of the most frames are, the others are
 * "left_out". skin and light have an entry a mark, with "name", "frame" and "box".
 *
 * Anything else is IPOS_ERR_FORMAT, with what is wrong and where; another version's document is IPOS_ERR_UNSUPPORTED. */
IPOS_API IPOS_NODISCARD ipos_status ipos_look_json(const ipos_look *look, char **json);
IPOS_API IPOS_NODISCARD ipos_status ipos_look_from_json(const char *json, ipos_look **out);

/* One measurement as a picture: an SVG 1.1 document (ipos_free). of: a clip's name, "tag:" and a tag ("tag:lens=35"), or NULL for the whole
 * project. name: one of ipos_look_plots. What was not measured gives empty axes with the reason. IPOS_ERR_NOT_FOUND: no such clip, tag or
 * plot, the known ones are in the text. */
IPOS_API IPOS_NODISCARD ipos_status ipos_look_plot(const ipos_look *look, const char *of, const char *name, char **svg);
/* Names of the plots, comma-separated, static: "grain,bloom,vignette,sharp,tone,white,flicker,skin". */
IPOS_API const char *ipos_look_plots(void);

/* The grain as a film-grain table of AV1 encoders ("filmgrn1", for aomenc --film-grain-table and SvtAv1EncApp --fgs-table; ipos_free),
 * for the whole length of any film. of: as in ipos_look_plot. Made for footage that is coded in the clips' own code values: display or
 * log, not scene-linear. IPOS_ERR_NOT_FOUND with the reason where the grain could not be measured. */
IPOS_API IPOS_NODISCARD ipos_status ipos_look_grain_table(const ipos_look *look, const char *of, char **table);

/* The grade that the operation "continuity" found in mode match, as a colourist takes it (ipos_free). details: what the result or the option says
 * of itself; shot: which of its shots, 0-based, in the order of the frames. format:
 *   "cdl"   an ASC ColorDecisionList (1.2) of one correction, the nearest to the grade; its description says how near
 *   "cube"  the grade itself as a .cube table of 33^3 (Adobe Cube LUT 1.0)
 * Both are for the clip's own code values; for scene-linear clips for 7/64 log2(1 + 64 x). They hold the grade at full strength, without
 * texture. IPOS_ERR_NOT_FOUND: no such shot, or nothing was matched; IPOS_ERR_FORMAT: no such details. */
IPOS_API IPOS_NODISCARD ipos_status ipos_look_grade(const char *details, size_t shot, const char *format, char **text);

#ifdef __cplusplus
}
#endif
#endif
