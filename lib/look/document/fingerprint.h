/* The look's document, "interpos.look.1": what include/interpos/look.h says of it. */
#ifndef IP_FINGERPRINT_H
#define IP_FINGERPRINT_H

#include "grain.h"
#include <jansson.h>

enum { IP_LOOK_KINDS = 8 };
extern const char *const ip_look_kinds[IP_LOOK_KINDS]; /* the measurements, as the document names them */

/* Entries of one thing measured in several parts (shots of a clip): every measurement pooled (see pool.h). *out: an object with the
 * measurements alone. */
ipos_status ip_fingerprint_pool(const json_t *const *entries, size_t count, json_t **out);
/* The document of a project's clips: adds the tags' entries and the whole's. Takes clips over, a list of clips' entries. No clips:
 * IPOS_ERR_ARGUMENT. */
ipos_status ip_fingerprint_new(const char *project, json_t *clips, json_t **out);
/* IPOS_ERR_FORMAT or, for another version, IPOS_ERR_UNSUPPORTED, with what is wrong and where. */
ipos_status ip_fingerprint_check(const json_t *look);
/* The entry of a clip, of "tag:" and a tag, or of the whole (NULL); borrowed. IPOS_ERR_NOT_FOUND names what there is. */
ipos_status ip_fingerprint_find(const json_t *look, const char *of, const json_t **out);
/* of: for titles. */
ipos_status ip_fingerprint_plot(const json_t *entry, const char *of, const char *name, char **svg);
const char *ip_fingerprint_plots(void);
/* IPOS_ERR_NOT_FOUND with the reason where there is none. */
ipos_status ip_fingerprint_grain(const json_t *entry, const char *of, ip_grain *out);

#endif
