/* Where an option's pictures go, and how they get there. */
#ifndef IP_PUBLISH_H
#define IP_PUBLISH_H

#include "catalogue.h"
#include "review.h"

typedef enum ip_target_kind { IP_TARGET_FOLDER, IP_TARGET_PATTERN, IP_TARGET_FILE, IP_TARGET_MOVIE } ip_target_kind;

typedef struct ip_target {
    ip_target_kind kind;
    char *output;           /* absolute */
    char *name;             /* folder: the source's file name, with its pattern if it has one */
    const char *clip, *clip_format;
} ip_target;
/* publish_names.c. pictures: how many there are; one file takes exactly one. */
ipos_status ip_target_of(const char *output, const ip_store_clip *clip, size_t pictures, ip_target *target);
void ip_target_free(ip_target *target);
/* Path for the picture at time that the project keeps as picture; ip_free. */
char *ip_target_path(const ip_target *target, ipos_rational time, const char *picture);
/* For a folder: the picture's path under the name of the file that it was, with the picture's extension where the format is another. */
char *ip_target_same(const ip_target *target, const char *source, const char *picture);
/* "png", "tiff", "exr" by a path's extension, "" for others. */
const char *ip_path_format(const char *path);

/* publish_file.c: puts bytes at path unless it exists: identical is fine, other content IPOS_ERR_CONFLICT. Atomic; mark keeps the
 * temporaries of different options apart. written may be NULL; write false only looks. */
ipos_status ip_place_bytes(const char *path, const char *mark, const void *bytes, size_t size, const char *hash, bool write,
    bool *written);
/* The same for a finished temporary beside path; it is gone afterwards. */
ipos_status ip_place_file(const char *temporary, const char *path);
char *ip_place_temporary(const char *path, const char *mark);

#endif
