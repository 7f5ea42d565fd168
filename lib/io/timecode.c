#include "media_parts.h"

static int32_t bcd(uint32_t word, int shift, uint32_t tens_mask) {
    return (int32_t)((word >> shift & 15) + 10 * (word >> (shift + 4) & tens_mask));
}

/* SMPTE 12M as OpenEXR packs it. */
bool ip_timecode_of_attribute(const ip_image_header *header, ipos_timecode *out) {
    const ip_attribute *a = ip_header_attribute(header, "timeCode");
    uint32_t words[2];
    if (!a || a->size != sizeof words || strcmp(a->type, "timecode") != 0)
        return false;
    memcpy(words, a->bytes, sizeof words);
    *out = (ipos_timecode){bcd(words[0], 24, 3), bcd(words[0], 16, 7), bcd(words[0], 8, 7), bcd(words[0], 0, 3),
        (int32_t)(words[0] >> 6 & 1), words[1]};
    return true;
}

ipos_timecode ip_timecode_after(const ipos_timecode *start, int64_t frames, ipos_rational rate) {
    int64_t base = rate.den > 0 ? (rate.num + rate.den / 2) / rate.den : 0;
    if (base <= 0)
        base = 24;
    int64_t dropped = start->drop_frame && base % 30 == 0 ? base / 15 : 0; /* numbers left out a minute, but not each tenth */
    int64_t minutes = start->hours * 60 + start->minutes;
    int64_t at = (minutes * 60 + start->seconds) * base + start->frames - dropped * (minutes - minutes / 10) + frames;
    int64_t per_minute = base * 60 - dropped, per_ten = base * 600 - dropped * 9, day = per_ten * 144;
    at = ((at % day) + day) % day;
    if (dropped) { /* put the numbers that were left out back in */
        int64_t tens = at / per_ten, rest = at % per_ten;
        at += dropped * 9 * tens + (rest >= base * 60 ? dropped * ((rest - base * 60) / per_minute + 1) : 0);
    }
    ipos_timecode out = *start;
    out.frames = (int32_t)(at % base);
    out.seconds = (int32_t)(at / base % 60);
    out.minutes = (int32_t)(at / base / 60 % 60);
    out.hours = (int32_t)(at / base / 3600 % 24);
    return out;
}
