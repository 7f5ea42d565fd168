#include "module.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef IP_LIBEXEC_FROM_LIB
#define IP_LIBEXEC_FROM_LIB "../libexec/interpos"
#endif

/* Folder of the shared object (or executable) this function is linked into. dladdr may answer with a relative name when the
 * library came by a relative LD_LIBRARY_PATH; realpath then resolves it against the folder we are in, so it is only as good as
 * that and is checked to exist. */
static bool own_folder(char folder[PATH_MAX]) {
    Dl_info info;
    if (!dladdr((const void *)(uintptr_t)&ip_module_load, &info) || !info.dli_fname)
        return false;
    const char *from = strchr(info.dli_fname, '/') ? info.dli_fname : "/proc/self/exe";
    if (!realpath(from, folder))
        return false;
    char *slash = strrchr(folder, '/');
    if (!slash)
        return false;
    *slash = 0;
    return true;
}

/* 1: a module is there and loaded (handle NULL: there); 0: none there; -1: there, but the loader refused it (said in why). */
static int try_load(const char *folder, const char *middle, const char *file, void **handle, ip_buffer *why) {
    char *path = ip_format("%s/%s%s", folder, middle, file), real[PATH_MAX];
    if (!path)
        return -1;
    int result = 0;
    if (!handle) {
        result = realpath(path, real) != NULL;
    } else if (realpath(path, real)) {
        *handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
        result = *handle ? 1 : -1;
        if (!*handle) {
            const char *text = dlerror();
            ip_buffer_printf(why, "%s%s", why->size ? "; " : "", text ? text : real);
        }
    } else {
        ip_buffer_printf(why, "%snot at %s", why->size ? "; " : "", path);
    }
    ip_free(path);
    return result;
}

static int try_build_tree(const char *folder, const char *file, void **handle, ip_buffer *why) {
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", folder);
    for (int up = 0; up < 5; up++) {
        char *mark = ip_format("%s/meson-private/coredata.dat", parent);
        bool found = mark && access(mark, R_OK) == 0;
        ip_free(mark);
        if (found)
            return try_load(parent, "lib/io/", file, handle, why);
        char *slash = strrchr(parent, '/');
        if (!slash || slash == parent)
            return 0;
        *slash = 0;
    }
    return 0;
}

static int try_all(const char *folder, const char *file, void **handle, ip_buffer *why) {
    int got = try_load(folder, "", file, handle, why);
    if (got == 0)
        got = try_load(folder, IP_LIBEXEC_FROM_LIB "/", file, handle, why);
    return got ? got : try_build_tree(folder, file, handle, why);
}

bool ip_module_there(const char *file) {
    char folder[PATH_MAX];
    ip_buffer why = {0};
    bool there = own_folder(folder) && try_all(folder, file, NULL, &why) == 1;
    ip_buffer_free(&why);
    return there;
}

ipos_status ip_module_load(const char *file, const char *symbol, const void **table) {
    *table = NULL;
    char folder[PATH_MAX];
    if (!own_folder(folder))
        return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: cannot tell where libinterpos lies", file);
    ip_buffer why = {0};
    void *handle = NULL;
    if (try_all(folder, file, &handle, &why) != 1) {
        char *text = ip_buffer_take(&why);
        ipos_status status = ip_fail(IPOS_ERR_UNSUPPORTED, "module %s cannot be loaded: %s", file, text ? text : "out of memory");
        ip_free(text);
        return status;
    }
    ip_buffer_free(&why);
    /* The handle is never closed: libraries below it register destructors that do not survive an unload. */
    const void *(*entry)(void) = NULL;
    *(void **)(&entry) = dlsym(handle, symbol);
    if (entry)
        *table = entry();
    if (!*table)
        return ip_fail(IPOS_ERR_UNSUPPORTED, "module %s is of another version: it has no %s", file, symbol);
    return IPOS_OK;
}
