/* Which library this is, and what it can do. */
#include "api.h"
#include "module.h"
#include "process.h"
#include <unistd.h>

#define TEXT(x) #x
#define JOIN(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

uint32_t ipos_version(void)
{
    return IPOS_VERSION;
}

const char *ipos_version_text(void)
{
    return JOIN(IPOS_VERSION_MAJOR, IPOS_VERSION_MINOR, IPOS_VERSION_PATCH);
}

static bool engine_there(const char *name)
{
    char *path = NULL;
    const bool there = ip_engine_find(NULL, name, &path) == IPOS_OK;

    ip_free(path);
    return there;
}

int32_t ipos_feature(const char *name)
{
    if (!name)
        return 0;
    if (strcmp(name, "png") == 0 || strcmp(name, "exr") == 0)
        return 1;
    if (strcmp(name, "tiff") == 0)
        return ip_module_there("interpos_tiff.so");
    if (strcmp(name, "exr-dwa") == 0)
        return ip_module_there("interpos_dwa.so");
    if (strcmp(name, "movies") == 0)
        return access("/usr/bin/ffmpeg", X_OK) == 0 && access("/usr/bin/ffprobe", X_OK) == 0;
    if (strcmp(name, "engine-process") == 0)
        return engine_there("interpos-engine");
    return strcmp(name, "engine-in-process") == 0 && engine_there("interpos_engine.so");
}
