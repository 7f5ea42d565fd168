/* Numbered files: "name.%04d.exr", "name.####.exr", "name.[1-50].exr", "name.[1-50x2].exr", or a folder holding one sequence. */
#ifndef IP_SEQUENCE_H
#define IP_SEQUENCE_H

#include "core.h"

typedef struct ip_sequence {
    char *folder, *prefix, *suffix; /* folder is absolute */
    int digits;                     /* numbers are padded with zeros to so many */
    int64_t *numbers;               /* that exist, rising */
    size_t count;
    int64_t *missing;               /* between the first and the last */
    size_t missing_count;
    char *pattern;                  /* "/abs/name.%04d.exr" */
} ip_sequence;

/* True if the last part of path has one of the pattern forms. */
bool ip_sequence_is_pattern(const char *path);
ipos_status ip_sequence_open(const char *path, ip_sequence *out);        /* a pattern */
ipos_status ip_sequence_open_folder(const char *path, ip_sequence *out); /* IPOS_ERR_NOT_FOUND if it holds no numbered pictures */
ipos_status ip_sequence_of_file(const char *path, ip_sequence *out);     /* one file, numbered by its name, else 0 */
void ip_sequence_free(ip_sequence *sequence);
bool ip_sequence_has(const ip_sequence *sequence, int64_t number);
char *ip_sequence_path(const ip_sequence *sequence, int64_t number); /* ip_free */
int64_t ip_sequence_run_end(const ip_sequence *sequence, int64_t number); /* last number of the unbroken run number is in */

#endif
