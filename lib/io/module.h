/* Modules: code kept out of the host process until a file needs it (libtiff and OpenEXR's DWA bring a C++ runtime along). */
#ifndef IP_MODULE_H
#define IP_MODULE_H

#include "core.h"

/* Loads file (a plain name such as "interpos_tiff.so") once for the life of the process and returns the object that its one
 * exported function symbol (const void *(*)(void)) hands out. Looked for, in this order, by absolute path only: beside the
 * library this code is linked into; in the installed libexec/interpos as seen from that library; in lib/io of the meson build
 * tree that library lies in. IPOS_ERR_UNSUPPORTED with what dlopen said if there is none. Any thread; cheap after the first call
 * for a file. */
ipos_status ip_module_load(const char *file, const char *symbol, const void **table);

/* Whether load would find the file; loads nothing. */
bool ip_module_there(const char *file);

#endif
