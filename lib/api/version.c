/* Which library this is, and what it can do. */
#include "api.h"
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
