/* What people see of options, and how an accepted one leaves the project. */
#ifndef IP_REVIEW_H
#define IP_REVIEW_H

#include "store.h"

/* See ipos_option_publish. Records the act in the ledger. */
ipos_status ip_publish(ip_store *store, const char *id, const char *output, ipos_progress_fn progress, void *user, char **json);
/* Writes a contact sheet (PNG, 8 bit, display-referred, at most 1600 wide) of an option: a row a picture (up to eight, spread evenly):
 * the source frame before, the picture, the source frame after, the evidence (grey original, green from another frame, blue from
 * another take, red invented, yellow the frame's own in other light, white, violet and cyan what relighting did; darker where less certain). Of a changed frame: as it was, changed, what was taken out (white; its shadow
 * blue) or else the reference it was matched to, the evidence; close up where the change is small. path NULL: the option's own sheet, which the list of options then names. */
ipos_status ip_contact_sheet(ip_store *store, const char *id, const char *path);

#endif
