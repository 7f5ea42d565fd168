#include "process.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The mapped file that holds address, as the kernel names it. The loader's own answer is relative if the library was found by a
 * relative path, and means nothing once the host has changed its folder. */
static bool mapped_file(const void *address, char path[PATH_MAX])
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 128];
    bool found = false;
    while (maps && !found && fgets(line, sizeof line, maps)) {
        uintptr_t begin, end;
        int at = 0;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %*s %n", &begin, &end, &at) != 2 || at == 0)
            continue;
        if ((uintptr_t)address < begin || (uintptr_t)address >= end || line[at] != '/')
            continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(path, PATH_MAX, "%s", line + at);
        found = true;
    }
    if (maps)
        fclose(maps);
    return found;
}

static bool own_folder(char folder[PATH_MAX])
{
    static const char here;
    Dl_info info;
    char file[PATH_MAX];
    bool found = dladdr(&here, &info) && info.dli_fname && info.dli_fname[0] == '/' && realpath(info.dli_fname, folder);
    if (!found)
        found = mapped_file(&here, file) && realpath(file, folder);
    char *slash = found ? strrchr(folder, '/') : NULL;
    if (slash)
        *slash = 0;
    return slash != NULL;
}

static bool usable(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, R_OK) == 0;
}

ipos_status ip_engine_find(const char *configured, const char *name, char **path)
{
    static const char *const places[] = {"", /* installed, lib or lib/x86_64-linux-gnu: */ "../libexec/interpos/", "../../libexec/interpos/", /* built: */ "../engine/server/"};
    char folder[PATH_MAX], resolved[PATH_MAX];
    *path = NULL;
    if (configured) {
        if (configured[0] != '/')
            return ip_fail(IPOS_ERR_ARGUMENT, "engine_path: %s is not absolute", configured);
        if (!usable(configured))
            return ip_fail(IPOS_ERR_ENGINE, "%s: no such engine: %s", configured, errno ? strerror(errno) : "not a file");
        *path = ip_strdup(configured);
        return *path ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    }
    if (!own_folder(folder))
        return ip_fail(IPOS_ERR_ENGINE, "%s: libinterpos cannot find out where it lies itself; set engine_path", name);
    for (size_t i = 0; i < IP_COUNT(places); i++) {
        char *candidate = ip_format("%s/%s%s", folder, places[i], name);
        if (!candidate)
            return IPOS_ERR_NO_MEMORY;
        bool good = usable(candidate) && realpath(candidate, resolved);
        ip_free(candidate);
        if (!good)
            continue;
        *path = ip_strdup(resolved);
        return *path ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    }
    return ip_fail(IPOS_ERR_ENGINE, "%s: not found in %s nor in %s/../libexec/interpos; reinstall libinterpos or set engine_path", name, folder, folder);
}
