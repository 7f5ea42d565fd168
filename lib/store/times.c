/* Times in frames as names and requests, and which format keeps a picture. */
#include "catalogue.h"
#include <stdlib.h>

void ip_time_label(ipos_rational time, int digits, char out[64])
{
    ipos_rational t = ip_reduce(time);
    int64_t whole = t.num / t.den, rest = t.num % t.den;

    if (rest < 0) {
        whole--;
        rest += t.den;
    }
    int at = snprintf(out, 64, "%s%0*lld", whole < 0 ? "-" : "", IP_MIN(digits, 20), (long long)llabs(whole));
    if (rest)
        snprintf(out + at, 64 - (size_t)at, "+%lld_%lld", (long long)rest, (long long)t.den);
}

bool ip_frames_ask(const char *frames, int64_t number)
{
    json_t *words = ip_doc_split(frames), *word;
    bool asked = false;
    size_t i;

    json_array_foreach(words, i, word) {
        const char *text = json_string_value(word);
        char *end;
        long long first = strtoll(text, &end, 10), last = first, step = 1;
        if (*end == '-') {
            last = strtoll(end + 1, &end, 10);
            if (*end == 'x')
                step = strtoll(end + 1, &end, 10);
        }
        if (*end == 0 && step > 0)
            asked = asked || (number >= first && number <= last && (number - first) % step == 0);
    }
    json_decref(words);
    return asked;
}

static bool png_fits(const ipos_frame *frame)
{
    static const char *const sets[] = {"Y", "YA", "RGB", "RGBA"};
    bool fits = false;

    for (size_t s = 0; s < IP_COUNT(sets) && !fits; s++) {
        fits = frame->channel_count == strlen(sets[s]);
        for (size_t c = 0; fits && c < frame->channel_count; c++) {
            const ip_channel *channel = &frame->channels[c];
            fits = channel->name[0] && !channel->name[1] && strchr(sets[s], channel->name[0]) &&
                   (channel->type == IPOS_U8 || channel->type == IPOS_U16) && channel->type == frame->channels[0].type;
        }
    }
    return fits;
}

static bool any_type(const ipos_frame *frame, int32_t a, int32_t b)
{
    for (size_t c = 0; c < frame->channel_count; c++)
        if (frame->channels[c].type == a || frame->channels[c].type == b)
            return true;
    return false;
}

bool ip_format_fits(const ipos_frame *frame, const char *format)
{
    if (strcmp(format, "png") == 0)
        return png_fits(frame);
    if (strcmp(format, "exr") == 0)
        return !any_type(frame, IPOS_U8, IPOS_U16);
    return strcmp(format, "tiff") == 0 && !any_type(frame, IPOS_U32, IPOS_U32);
}

const char *ip_format_for(const ipos_frame *frame, const char *clip_format)
{
    static const char *const known[] = {"exr", "tiff", "png"};

    for (size_t i = 0; i < IP_COUNT(known); i++)
        if (strcmp(clip_format, known[i]) == 0 && ip_format_fits(frame, known[i]))
            return known[i];
    if (png_fits(frame))
        return "png";
    return any_type(frame, IPOS_F16, IPOS_F32) && ip_format_fits(frame, "exr") ? "exr" : "tiff";
}
