/* Attributes, and those with a type of their own, laid out as OpenEXR lays them out. */
#include "frame.h"

enum { MAX_TEXT = 255 };

const ip_attribute *ip_frame_attribute(const ipos_frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->attribute_count; i++)
        if (strcmp(frame->attributes[i].name, name) == 0)
            return &frame->attributes[i];
    return NULL;
}

static void clear(ip_attribute *attribute)
{
    ip_free(attribute->name);
    ip_free(attribute->type);
    ip_free(attribute->bytes);
    *attribute = (ip_attribute){0};
}

void ip_frame_clear_attributes(ipos_frame *frame)
{
    for (size_t i = 0; i < frame->attribute_count; i++)
        clear(&frame->attributes[i]);
    ip_free(frame->attributes);
    frame->attributes = NULL;
    frame->attribute_count = 0;
}

static void remove_named(ipos_frame *frame, const char *name)
{
    const ip_attribute *found = ip_frame_attribute(frame, name);
    if (!found)
        return;
    size_t i = (size_t)(found - frame->attributes);
    clear(&frame->attributes[i]);
    frame->attribute_count--;
    memmove(&frame->attributes[i], &frame->attributes[i + 1], (frame->attribute_count - i) * sizeof frame->attributes[0]);
}

ipos_status ip_frame_put(ipos_frame *frame, const char *name, const char *type, const void *bytes, size_t size)
{
    ip_attribute made = {ip_strdup(name), ip_strdup(type), ip_alloc(size), size};
    const ip_attribute *old = ip_frame_attribute(frame, name);
    size_t i = old ? (size_t)(old - frame->attributes) : frame->attribute_count;
    bool ok = made.name && made.type && made.bytes;
    if (ok && !old && (i & (i - 1)) == 0) { /* room for a power of two */
        ip_attribute *grown = ip_realloc(frame->attributes, IP_MAX(2 * i, (size_t)1) * sizeof *grown);
        if (grown)
            frame->attributes = grown;
        ok = grown != NULL;
    }
    if (!ok) {
        clear(&made);
        return IPOS_ERR_NO_MEMORY;
    }
    if (size)
        memcpy(made.bytes, bytes, size); /* before the old value goes: bytes may be it */
    if (old)
        clear(&frame->attributes[i]);
    else
        frame->attribute_count++;
    frame->attributes[i] = made;
    return IPOS_OK;
}

ipos_status ipos_frame_set_attribute(ipos_frame *frame, const char *name, const char *type, const void *bytes, size_t size)
{
    if (!frame || !name)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_set_attribute: frame and name are required");
    if (!bytes && size)
        return ip_fail(IPOS_ERR_ARGUMENT, "attribute \"%s\": %zu bytes announced but none given", name, size);
    if (!bytes) {
        remove_named(frame, name);
        return IPOS_OK;
    }
    if (!type || !*name || !*type || strlen(name) > MAX_TEXT || strlen(type) > MAX_TEXT)
        return ip_fail(IPOS_ERR_ARGUMENT, "attribute \"%s\": name and type must be 1 to %d bytes", name, MAX_TEXT);
    return ip_frame_put(frame, name, type, bytes, size);
}

ipos_status ip_frame_set_text(ipos_frame *frame, const char *name, const char *text)
{
    return ipos_frame_set_attribute(frame, name, "string", text, strlen(text));
}

ipos_status ip_frame_copy_attributes(ipos_frame *to, const ipos_frame *from)
{
    for (size_t i = 0; i < from->attribute_count; i++) {
        const ip_attribute *a = &from->attributes[i];
        IP_TRY(ip_frame_put(to, a->name, a->type, a->bytes, a->size));
    }
    return IPOS_OK;
}

static uint32_t get32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void put32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

/* The attribute's bytes; NOT_FOUND where it is missing or something else goes by its name. */
static ipos_status typed(const ipos_frame *frame, const char *name, const char *type, size_t size, const uint8_t **bytes)
{
    const ip_attribute *a = ip_frame_attribute(frame, name);
    if (!a || strcmp(a->type, type) != 0)
        return ip_fail(IPOS_ERR_NOT_FOUND, "the frame has no attribute \"%s\" of type %s", name, type);
    if (a->size != size)
        return ip_fail(IPOS_ERR_FORMAT, "attribute \"%s\": %zu bytes, expected %zu", name, a->size, size);
    *bytes = a->bytes;
    return IPOS_OK;
}

/* SMPTE 12M in OpenEXR's TV60 packing: BCD frames in bits 0-5, seconds 8-14, minutes 16-22, hours 24-29, drop-frame flag 6.
 * The other bits are flags of the colour frame, the field and the binary groups. */
#define TIMECODE_OTHERS 0xc0808080u

static uint32_t to_bcd(int32_t value)
{
    return (uint32_t)(value / 10 << 4 | value % 10);
}

static bool from_bcd(uint32_t bits, int32_t *value)
{
    *value = (int32_t)((bits >> 4) * 10 + (bits & 15));
    return (bits & 15) < 10;
}

ipos_status ipos_frame_timecode(const ipos_frame *frame, ipos_timecode *out)
{
    const uint8_t *bytes;
    if (!frame || !out)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_timecode: frame and out are required");
    *out = (ipos_timecode){0};
    IP_TRY(typed(frame, "timeCode", "timecode", 8, &bytes));
    uint32_t packed = get32(bytes);
    ipos_timecode read = {.drop_frame = packed >> 6 & 1, .user_data = get32(bytes + 4)};
    if (!from_bcd(packed >> 24 & 0x3f, &read.hours) || !from_bcd(packed >> 16 & 0x7f, &read.minutes) ||
        !from_bcd(packed >> 8 & 0x7f, &read.seconds) || !from_bcd(packed & 0x3f, &read.frames))
        return ip_fail(IPOS_ERR_FORMAT, "attribute \"timeCode\": 0x%08x is not a SMPTE timecode", packed);
    *out = read;
    return IPOS_OK;
}

ipos_status ipos_frame_set_timecode(ipos_frame *frame, const ipos_timecode *t)
{
    const uint8_t *old;
    uint8_t bytes[8];
    if (!frame || !t)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_set_timecode: frame and timecode are required");
    if (t->hours < 0 || t->hours > 23 || t->minutes < 0 || t->minutes > 59 || t->seconds < 0 || t->seconds > 59 || t->frames < 0 ||
        t->frames > 39 || t->drop_frame < 0 || t->drop_frame > 1)
        return ip_fail(IPOS_ERR_ARGUMENT, "timecode %02d:%02d:%02d:%02d: hours are 0-23, minutes and seconds 0-59, frames 0-39", t->hours,
            t->minutes, t->seconds, t->frames);
    uint32_t packed = to_bcd(t->hours) << 24 | to_bcd(t->minutes) << 16 | to_bcd(t->seconds) << 8 | to_bcd(t->frames) |
        (uint32_t)t->drop_frame << 6;
    if (typed(frame, "timeCode", "timecode", 8, &old) == IPOS_OK)
        packed |= get32(old) & TIMECODE_OTHERS;
    put32(bytes, packed);
    put32(bytes + 4, t->user_data);
    return ip_frame_put(frame, "timeCode", "timecode", bytes, sizeof bytes);
}

ipos_status ipos_frame_rate(const ipos_frame *frame, ipos_rational *out)
{
    const uint8_t *bytes;
    if (!frame || !out)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_rate: frame and out are required");
    *out = (ipos_rational){0};
    IP_TRY(typed(frame, "framesPerSecond", "rational", 8, &bytes));
    ipos_rational read = {(int32_t)get32(bytes), get32(bytes + 4)};
    if (read.num <= 0 || read.den == 0)
        return ip_fail(IPOS_ERR_FORMAT, "attribute \"framesPerSecond\": %d/%u is not a frame rate", (int32_t)read.num, (uint32_t)read.den);
    *out = read;
    return IPOS_OK;
}

ipos_status ipos_frame_set_rate(ipos_frame *frame, const ipos_rational *rate)
{
    if (!frame || !rate)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_set_rate: frame and rate are required");
    ipos_rational r = ip_reduce(*rate);
    if (r.num <= 0 || r.den <= 0 || r.num > INT32_MAX || r.den > UINT32_MAX)
        return ip_fail(IPOS_ERR_ARGUMENT, "rate %lld/%lld: both must be positive and fit 32 bits", (long long)rate->num, (long long)rate->den);
    uint8_t bytes[8];
    put32(bytes, (uint32_t)r.num);
    put32(bytes + 4, (uint32_t)r.den);
    return ip_frame_put(frame, "framesPerSecond", "rational", bytes, sizeof bytes);
}

_Static_assert(sizeof(ipos_chromaticities) == 32, "eight singles, in OpenEXR's order");

ipos_status ipos_frame_chromaticities(const ipos_frame *frame, ipos_chromaticities *out)
{
    const uint8_t *bytes;
    if (!frame || !out)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_chromaticities: frame and out are required");
    *out = (ipos_chromaticities){0};
    IP_TRY(typed(frame, "chromaticities", "chromaticities", 32, &bytes));
    uint32_t words[8];
    for (int i = 0; i < 8; i++)
        words[i] = get32(bytes + 4 * i);
    memcpy(out, words, sizeof words);
    return IPOS_OK;
}

ipos_status ipos_frame_set_chromaticities(ipos_frame *frame, const ipos_chromaticities *value)
{
    if (!frame || !value)
        return ip_fail(IPOS_ERR_ARGUMENT, "ipos_frame_set_chromaticities: frame and value are required");
    uint32_t words[8];
    uint8_t bytes[32];
    memcpy(words, value, sizeof words);
    for (int i = 0; i < 8; i++)
        put32(bytes + 4 * i, words[i]);
    return ip_frame_put(frame, "chromaticities", "chromaticities", bytes, sizeof bytes);
}
