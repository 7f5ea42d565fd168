/* interpos/version.h: which libinterpos this is. Part of libinterpos. */
#ifndef INTERPOS_VERSION_H
#define INTERPOS_VERSION_H

#include <interpos/base.h>

#define IPOS_VERSION_MAJOR 0
#define IPOS_VERSION_MINOR 1
#define IPOS_VERSION_PATCH 0
#define IPOS_VERSION ((uint32_t)(IPOS_VERSION_MAJOR << 16 | IPOS_VERSION_MINOR << 8 | IPOS_VERSION_PATCH))

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library in use, packed as IPOS_VERSION is. */
IPOS_API uint32_t ipos_version(void);
/* The same as text, "0.1.0". Static. */
IPOS_API const char *ipos_version_text(void);
/* 1 if this build has the named feature, else 0. Names: "png", "tiff", "exr", "exr-dwa" (needs its module beside the
 * library), "movies" (needs the ffmpeg program), "engine-process", "engine-in-process". NULL gives 0. */
IPOS_API int32_t ipos_feature(const char *name);

#ifdef __cplusplus
}
#endif
#endif
