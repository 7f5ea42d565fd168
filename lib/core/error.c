/* The calling thread's error text. A fixed buffer, so reporting a failure cannot itself fail. */
#include "core.h"
#include "text.h"

#include <errno.h>

enum { ERROR_ROOM = 2048 };

static _Thread_local char error_text[ERROR_ROOM];

const char *ipos_last_error(void)
{
    return error_text;
}

const char *ipos_status_name(ipos_status status)
{
    static const char *const names[] = {"IPOS_OK", "IPOS_ERR_UNKNOWN", "IPOS_ERR_NO_MEMORY", "IPOS_ERR_ARGUMENT", "IPOS_ERR_STATE",
        "IPOS_ERR_NOT_FOUND", "IPOS_ERR_UNSUPPORTED", "IPOS_ERR_FORMAT", "IPOS_ERR_IO", "IPOS_ERR_ENGINE", "IPOS_ERR_CANCELLED",
        "IPOS_ERR_PERMISSION", "IPOS_ERR_CHANGED", "IPOS_ERR_CONFLICT", "IPOS_ERR_NOT_ACCEPTED", "IPOS_ERR_TAMPERED"};
    return status <= 0 && status > -(int)IP_COUNT(names) ? names[-status] : "unknown status";
}

/* Formats into a scratch first: arguments may point into the error text itself. */
static void set_text(const char *format, va_list args, const char *tail)
{
    char scratch[ERROR_ROOM];
    ip_vformat(scratch, sizeof scratch, format, args);
    size_t size = strlen(scratch);
    if (tail) {
        const char *parts[] = {": ", tail};
        for (size_t i = 0; i < IP_COUNT(parts); i++) {
            size_t n = IP_MIN(strlen(parts[i]), sizeof scratch - 1 - size);
            memcpy(scratch + size, parts[i], n);
            size += n;
        }
        scratch[size] = 0;
    }
    ip_utf8_mend(scratch, size);
    memcpy(error_text, scratch, strlen(scratch) + 1);
}

ipos_status ip_fail(ipos_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_text(format, args, NULL);
    va_end(args);
    return status;
}

ipos_status ip_fail_in(ipos_status status, const char *format, ...)
{
    char before[ERROR_ROOM];
    memcpy(before, error_text, sizeof before);
    va_list args;
    va_start(args, format);
    /* What was decoded from memory has a name after all: the caller's. */
    static const char unnamed[] = "(memory): ";
    const size_t skip = sizeof unnamed - 1;
    set_text(format, args, strncmp(before, unnamed, skip) == 0 ? before + skip : before);
    va_end(args);
    return status;
}

ipos_status ip_fail_errno(int number, const char *format, ...)
{
    const char *reason = strerrordesc_np(number); /* static and untranslated, unlike strerror's */
    va_list args;
    va_start(args, format);
    set_text(format, args, reason ? reason : "unknown system error");
    va_end(args);
    switch (number) {
    case ENOENT:
    case ENOTDIR: return IPOS_ERR_NOT_FOUND;
    case ENOMEM: return IPOS_ERR_NO_MEMORY;
    case EEXIST: return IPOS_ERR_CONFLICT;
    default: return IPOS_ERR_IO;
    }
}

ipos_status ip_no_memory(size_t bytes)
{
    return ip_fail(IPOS_ERR_NO_MEMORY, "out of memory: %zu bytes could not be had; close other programs or work on fewer frames", bytes);
}
