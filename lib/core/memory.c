/* Allocation that reports instead of aborting. */
#include "core.h"
#include "text.h"

#include <stdlib.h>

void *ip_alloc(size_t bytes)
{
    void *block = malloc(bytes ? bytes : 1);
    if (!block)
        ip_no_memory(bytes);
    return block;
}

void *ip_calloc(size_t count, size_t bytes)
{
    void *block = calloc(count ? count : 1, bytes ? bytes : 1); /* calloc checks the product */
    if (!block) {
        size_t total;
        ip_no_memory(__builtin_mul_overflow(count, bytes, &total) ? SIZE_MAX : total);
    }
    return block;
}

void *ip_realloc(void *block, size_t bytes)
{
    void *grown = realloc(block, bytes ? bytes : 1);
    if (!grown)
        ip_no_memory(bytes);
    return grown;
}

void *ip_aligned_alloc(size_t alignment, size_t bytes)
{
    void *block = NULL;
    if (posix_memalign(&block, IP_MAX(alignment, sizeof(void *)), bytes ? bytes : 1) != 0) {
        ip_no_memory(bytes);
        return NULL;
    }
    return block;
}

char *ip_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = ip_alloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

char *ip_format(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = ip_vformat(NULL, 0, format, args);
    char *text = size < 0 ? NULL : ip_alloc((size_t)size + 1);
    if (text)
        ip_vformat(text, (size_t)size + 1, format, again);
    else if (size < 0)
        ip_no_memory(0);
    va_end(again);
    va_end(args);
    return text;
}

void ip_free(void *block)
{
    free(block);
}

void ipos_free(void *memory)
{
    free(memory);
}
