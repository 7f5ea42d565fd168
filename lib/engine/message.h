/* Messages between library and engine: a 16-byte header and one JSON object (PROTOCOL.md). */
#ifndef IP_MESSAGE_H
#define IP_MESSAGE_H

#include "core.h"
#include <jansson.h>

enum {
    IP_MESSAGE_VERSION = 1,
    IP_MESSAGE_HEADER = 16,
    IP_MESSAGE_LIMIT = 16 << 20 /* bytes of JSON in one message */
};

typedef enum ip_message_type {
    IP_HELLO = 1, IP_RUN, IP_TRAIN, IP_FETCH, IP_FRAME, IP_RELEASE, IP_PROGRESS, IP_EMIT, IP_VARIANT, IP_CHECKPOINT,
    IP_MODEL, IP_PREVIEW, IP_DONE, IP_CANCEL, IP_ALIVE, IP_INFO, IP_LOG, IP_TAKEN, IP_KEEP,
    IP_RECALL, IP_RECALLED,
    IP_MESSAGE_TYPES
} ip_message_type;
const char *ip_message_name(int type); /* "hello" ...; "unknown" */

typedef struct ip_message {
    int type;
    uint32_t serial;
    json_t *body; /* an object */
} ip_message;
void ip_message_clear(ip_message *message);

/* Reads one message from the first size bytes of a stream. *used = 0: more bytes are needed, message is untouched. IPOS_ERR_FORMAT: the
 * stream is not what it should be and no later byte of it can be trusted. Takes any bytes whatever. */
ipos_status ip_message_parse(const void *bytes, size_t size, ip_message *message, size_t *used);
/* Appends a message to a buffer. Steals body. */
ipos_status ip_message_write(ip_buffer *buffer, int type, uint32_t serial, json_t *body);

/* Members of a body; IPOS_ERR_FORMAT naming what is missing, of another type or out of range. */
ipos_status ip_json_int(const json_t *body, const char *name, int64_t minimum, int64_t maximum, int64_t *out);
ipos_status ip_json_real(const json_t *body, const char *name, double *out); /* finite */
ipos_status ip_json_text(const json_t *body, const char *name, const char **out);
ipos_status ip_json_bool(const json_t *body, const char *name, bool *out);
ipos_status ip_json_member(const json_t *body, const char *name, json_type type, json_t **out);
ipos_status ip_json_rational(const json_t *pair, ipos_rational *out);
ipos_status ip_json_int_at(const json_t *array, size_t index, int64_t minimum, int64_t maximum, int64_t *out);

json_t *ip_json_from_text(const char *text); /* NULL as "", bytes that are not UTF-8 as '?', at most 8 KiB */
json_t *ip_json_from_real(double value);     /* not finite: -1 */
json_t *ip_json_from_rational(ipos_rational value);

/* What travels over one end of the pipes. write never raises SIGPIPE and returns bytes written, 0 for "later", -1 for an error
 * with errno set. */
ptrdiff_t ip_pipe_write(int fd, const void *bytes, size_t size);

#endif
