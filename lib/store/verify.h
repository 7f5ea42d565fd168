/* What verifying collects: problems, and the catalogue as it must be by the ledger. */
#ifndef IP_VERIFY_H
#define IP_VERIFY_H

#include "catalogue.h"

typedef struct ip_verify {
    ip_store *store;
    json_t *problems;                /* texts */
    json_t *clips, *options, *models; /* by name or id: {"record", and what may change} */
    json_t *project;                 /* the act that made it */
    int64_t acts, rows, files, frames, bytes;
    int64_t total;                   /* files and frames to check, for progress */
    ip_progress progress;
} ip_verify;

void ip_verify_problem(ip_verify *verify, const char *format, ...) IP_PRINTF(2, 3);
ipos_status ip_verify_chain(ip_verify *verify);                                    /* verify.c: the ledger itself; replays it */
void ip_verify_replay(ip_verify *verify, const char *act, const char *by, const json_t *details); /* verify_replay.c */
ipos_status ip_verify_catalogue(ip_verify *verify);                                /* verify_catalogue.c */
/* where: "" or a condition that ends in a space. verify_catalogue.c */
ipos_status ip_verify_each_clip(ip_verify *verify, const char *where, ipos_status (*check)(ip_verify *verify, const ip_clip_row *clip));
ipos_status ip_verify_files(ip_verify *verify, bool footage);                      /* verify_files.c */

#endif
