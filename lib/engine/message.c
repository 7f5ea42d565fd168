#include "message.h"

#include <math.h>
#include <string.h>

static const char magic[4] = {'I', 'P', 'E', '1'};
static const char *const names[IP_MESSAGE_TYPES] = {"unknown", "hello", "run", "train", "fetch", "frame", "release", "progress", "emit",
    "variant", "checkpoint", "model", "preview", "done", "cancel", "alive", "info", "log", "taken", "keep",
    "recall", "recalled"};

const char *ip_message_name(int type)
{
    return type > 0 && type < IP_MESSAGE_TYPES ? names[type] : names[0];
}

void ip_message_clear(ip_message *message)
{
    json_decref(message->body);
    *message = (ip_message){0};
}

static uint32_t little(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void put_little(uint8_t *bytes, int count, uint32_t value)
{
    for (int i = 0; i < count; i++, value >>= 8)
        bytes[i] = (uint8_t)value;
}

ipos_status ip_message_parse(const void *bytes, size_t size, ip_message *message, size_t *used)
{
    const uint8_t *header = bytes;
    *used = 0;
    /* Wrong bytes are refused as soon as they are seen, not when a whole header has come. */
    if (size && memcmp(header, magic, IP_MIN(size, sizeof magic)) != 0)
        return ip_fail(IPOS_ERR_FORMAT, "message: starts with 0x%02x%02x%02x%02x, expected \"IPE1\"", header[0],
            size > 1 ? header[1] : 0, size > 2 ? header[2] : 0, size > 3 ? header[3] : 0);
    if (size < IP_MESSAGE_HEADER)
        return IPOS_OK;
    uint32_t version = little(header + 4, 2), type = little(header + 6, 2), length = little(header + 8, 4);
    if (version != IP_MESSAGE_VERSION)
        return ip_fail(IPOS_ERR_FORMAT, "message: version %u, expected %d: library and engine are of different releases", version,
            IP_MESSAGE_VERSION);
    if (type == 0 || type >= IP_MESSAGE_TYPES)
        return ip_fail(IPOS_ERR_FORMAT, "message: type %u, expected 1 to %d", type, IP_MESSAGE_TYPES - 1);
    if (length > IP_MESSAGE_LIMIT)
        return ip_fail(IPOS_ERR_FORMAT, "message %s: length %u, expected at most %d", names[type], length, IP_MESSAGE_LIMIT);
    if (size - IP_MESSAGE_HEADER < length)
        return IPOS_OK;
    json_error_t error;
    json_t *body = json_loadb((const char *)header + IP_MESSAGE_HEADER, length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(body)) {
        json_decref(body);
        return ip_fail(IPOS_ERR_FORMAT, "message %s: not a JSON object (%s)", names[type], body ? "another type" : error.text);
    }
    *message = (ip_message){.type = (int)type, .serial = little(header + 12, 4), .body = body};
    *used = IP_MESSAGE_HEADER + length;
    return IPOS_OK;
}

static int add_to_buffer(const char *bytes, size_t size, void *user)
{
    ip_buffer_add(user, bytes, size);
    return 0;
}

ipos_status ip_message_write(ip_buffer *buffer, int type, uint32_t serial, json_t *body)
{
    uint8_t header[IP_MESSAGE_HEADER] = {0};
    size_t start = buffer->size;
    ip_buffer_add(buffer, header, sizeof header);
    bool failed = !body || json_dump_callback(body, add_to_buffer, buffer, JSON_COMPACT) != 0 || buffer->failed;
    json_decref(body);
    if (failed)
        buffer->size = start;
    if (failed)
        return ip_fail(IPOS_ERR_NO_MEMORY, "message %s: out of memory", ip_message_name(type));
    size_t length = buffer->size - start - sizeof header;
    if (length > IP_MESSAGE_LIMIT) {
        buffer->size = start;
        return ip_fail(IPOS_ERR_ARGUMENT, "message %s: %zu bytes, at most %d fit: give fewer clips or frames in one job",
            ip_message_name(type), length, IP_MESSAGE_LIMIT);
    }
    memcpy(header, magic, sizeof magic);
    put_little(header + 4, 2, IP_MESSAGE_VERSION);
    put_little(header + 6, 2, (uint32_t)type);
    put_little(header + 8, 4, (uint32_t)length);
    put_little(header + 12, 4, serial);
    memcpy(buffer->data + start, header, sizeof header);
    return IPOS_OK;
}

static ipos_status check_int(const json_t *value, const char *name, int64_t minimum, int64_t maximum, int64_t *out)
{
    if (!json_is_integer(value))
        return ip_fail(IPOS_ERR_FORMAT, "message: \"%s\" is missing or not an integer", name);
    int64_t number = json_integer_value(value);
    if (number < minimum || number > maximum)
        return ip_fail(IPOS_ERR_FORMAT, "message: \"%s\" is %lld, expected %lld to %lld", name, (long long)number, (long long)minimum,
            (long long)maximum);
    *out = number;
    return IPOS_OK;
}

ipos_status ip_json_int(const json_t *body, const char *name, int64_t minimum, int64_t maximum, int64_t *out)
{
    return check_int(json_object_get(body, name), name, minimum, maximum, out);
}

ipos_status ip_json_int_at(const json_t *array, size_t index, int64_t minimum, int64_t maximum, int64_t *out)
{
    return check_int(json_array_get(array, index), "[]", minimum, maximum, out);
}

ipos_status ip_json_real(const json_t *body, const char *name, double *out)
{
    const json_t *value = json_object_get(body, name);
    if (!json_is_number(value))
        return ip_fail(IPOS_ERR_FORMAT, "message: \"%s\" is missing or not a number", name);
    *out = json_number_value(value);
    return IPOS_OK;
}

ipos_status ip_json_text(const json_t *body, const char *name, const char **out)
{
    *out = json_string_value(json_object_get(body, name));
    return *out ? IPOS_OK : ip_fail(IPOS_ERR_FORMAT, "message: \"%s\" is missing or not a text", name);
}

ipos_status ip_json_bool(const json_t *body, const char *name, bool *out)
{
    const json_t *value = json_object_get(body, name);
    *out = json_is_true(value);
    return json_is_boolean(value) ? IPOS_OK : ip_fail(IPOS_ERR_FORMAT, "message: \"%s\" is missing or neither true nor false", name);
}

ipos_status ip_json_member(const json_t *body, const char *name, json_type type, json_t **out)
{
    *out = json_object_get(body, name);
    if (*out && json_typeof(*out) == type)
        return IPOS_OK;
    *out = NULL;
    return ip_fail(IPOS_ERR_FORMAT, "message: \"%s\" is missing or of another type", name);
}

ipos_status ip_json_rational(const json_t *pair, ipos_rational *out)
{
    if (!json_is_array(pair) || json_array_size(pair) != 2)
        return ip_fail(IPOS_ERR_FORMAT, "message: a rational number is not [numerator, denominator]");
    IP_TRY(ip_json_int_at(pair, 0, -INT64_MAX, INT64_MAX, &out->num));
    return ip_json_int_at(pair, 1, 1, INT64_MAX, &out->den);
}

json_t *ip_json_from_text(const char *text)
{
    enum { LIMIT = 8192 };
    char copy[LIMIT];
    size_t size = text ? strnlen(text, LIMIT) : 0;
    json_t *value = json_stringn(size ? text : "", size);
    if (value)
        return value;
    for (size_t i = 0; i < size; i++)
        copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    return json_stringn(copy, size);
}

json_t *ip_json_from_real(double value)
{
    return json_real(isfinite(value) ? value : -1.0);
}

json_t *ip_json_from_rational(ipos_rational value)
{
    return json_pack("[I,I]", (json_int_t)value.num, (json_int_t)value.den);
}
