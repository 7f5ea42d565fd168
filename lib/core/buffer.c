/* A growing byte buffer. */
#include "core.h"
#include "text.h"

/* Room for size more bytes and a NUL. */
static bool reserve(ip_buffer *buffer, size_t size)
{
    if (buffer->failed)
        return false;
    if (size < buffer->room - buffer->size)
        return true;
    if (size > SIZE_MAX / 4 || buffer->size > SIZE_MAX / 4) {
        ip_no_memory(size);
        buffer->failed = true;
        return false;
    }
    size_t room = IP_MAX(buffer->size + size + 1, buffer->room * 2);
    room = IP_MAX(room, 64);
    char *grown = ip_realloc(buffer->data, room);
    if (!grown) {
        buffer->failed = true;
        return false;
    }
    buffer->data = grown;
    buffer->room = room;
    return true;
}

void ip_buffer_add(ip_buffer *buffer, const void *bytes, size_t size)
{
    if (!reserve(buffer, size))
        return;
    if (size)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
}

void ip_buffer_printf(ip_buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = ip_vformat(NULL, 0, format, args);
    if (size < 0)
        buffer->failed = true;
    else if (reserve(buffer, (size_t)size)) {
        ip_vformat(buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
    va_end(args);
}

char *ip_buffer_take(ip_buffer *buffer)
{
    char *text = NULL;
    if (reserve(buffer, 0)) {
        text = buffer->data;
        text[buffer->size] = 0;
        buffer->data = NULL;
    }
    ip_buffer_free(buffer);
    return text;
}

void ip_buffer_free(ip_buffer *buffer)
{
    ip_free(buffer->data);
    *buffer = (ip_buffer){0};
}
