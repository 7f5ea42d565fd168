/* Numbers and names without the host's locale. */
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

/* The "C" locale is built into the C library: newlocale allocates nothing for it. uselocale touches the calling thread only
 * and is undone before anything else runs. */
int ip_vformat(char *out, size_t room, const char *format, va_list args)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = plain ? uselocale(plain) : (locale_t)0;
    int size = vsnprintf(out, room, format, args);
    if (before)
        uselocale(before);
    if (plain)
        freelocale(plain);
    if (size < 0 && room)
        out[0] = 0;
    return size;
}

static int format_plain(char *out, size_t room, const char *format, ...) IP_PRINTF(3, 4);
static int format_plain(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = ip_vformat(out, room, format, args);
    va_end(args);
    return size;
}

static double plain_strtod(const char *text, char **end)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = plain ? strtod_l(text, end, plain) : strtod(text, end);
    if (plain)
        freelocale(plain);
    return value;
}

/* Length of the well-formed UTF-8 sequence at p (size bytes left), 0 if there is none. */
static size_t sequence(const unsigned char *p, size_t size)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : 0;
    if (n == 0 || n > size)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

bool ip_utf8_ok(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    for (size_t left = strlen(text), n; left; p += n, left -= n)
        if ((n = sequence(p, left)) == 0)
            return false;
    return true;
}

void ip_utf8_mend(char *text, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        unsigned char c = (unsigned char)text[size - back];
        if (c < 0x80)
            break;
        if (c >= 0xc0) { /* a lead byte: is what it announces there? */
            if ((c >= 0xf0 && back < 4) || (c >= 0xe0 && back < 3) || back < 2)
                text[size -= back] = 0;
            break;
        }
    }
    for (size_t i = 0, n; i < size; i += n)
        if ((n = sequence((unsigned char *)text + i, size - i)) == 0) {
            text[i] = '?';
            n = 1;
        }
}

bool ip_parse_int(const char *text, int64_t *out)
{
    const char *p = text + (text[0] == '-' || text[0] == '+');
    if (*p < '0' || *p > '9')
        return false;
    int64_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        int digit = *p - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
            return false; /* counted downwards, so that INT64_MIN fits */
    }
    if (*p || (text[0] != '-' && value == INT64_MIN))
        return false;
    *out = text[0] == '-' ? value : -value;
    return true;
}

bool ip_parse_real(const char *text, double *out)
{
    if (!text[0] || text[strspn(text, "+-.0123456789eE")])
        return false; /* no spaces, hexadecimals, "inf", "nan" */
    char *end;
    double value = plain_strtod(text, &end);
    if (*end || end == text || !isfinite(value))
        return false;
    *out = value;
    return true;
}

ipos_rational ip_reduce(ipos_rational value)
{
    if (value.den == 0 || value.num == INT64_MIN || value.den == INT64_MIN)
        return value;
    int64_t a = value.num < 0 ? -value.num : value.num, b = value.den < 0 ? -value.den : value.den;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    if (value.den < 0)
        a = -a;
    return (ipos_rational){value.num / a, value.den / a};
}

/* "23.98", "23.976", "29.97" ... mean N * 1000 / 1001, of which they are the rounded decimals. */
static bool ntsc(double value, int decimals, ipos_rational *out)
{
    static const int rates[] = {24, 30, 48, 60, 96, 120, 240};
    if (decimals < 2)
        return false;
    double half = 0.5 * pow(10, -decimals) * (1 + 1e-9);
    for (size_t i = 0; i < IP_COUNT(rates); i++)
        if (fabs(value - rates[i] * 1000.0 / 1001) <= half) {
            *out = (ipos_rational){rates[i] * 1000, 1001};
            return true;
        }
    return false;
}

bool ip_parse_rational(const char *text, ipos_rational *out)
{
    char head[64];
    size_t size = strlen(text), mark = strcspn(text, "/.");
    if (size == 0 || size >= sizeof head)
        return false;
    ipos_rational value = {0, 1};
    if (text[mark] == 0) {
        if (!ip_parse_int(text, &value.num))
            return false;
        *out = value;
        return true;
    }
    memcpy(head, text, size + 1);
    if (text[mark] == '/') {
        head[mark] = 0;
        if (!ip_parse_int(head, &value.num) || !ip_parse_int(head + mark + 1, &value.den) || value.den <= 0 || value.num == INT64_MIN)
            return false;
        *out = ip_reduce(value);
        return true;
    }
    int decimals = (int)(size - mark - 1);
    if (decimals < 1 || decimals > 15 || strspn(text + mark + 1, "0123456789") != (size_t)decimals)
        return false;
    memmove(head + mark, head + mark + 1, size - mark);
    if (!ip_parse_int(head, &value.num) || value.num == INT64_MIN)
        return false;
    for (int i = 0; i < decimals; i++)
        value.den *= 10;
    if (!ntsc((double)value.num / (double)value.den, decimals, out))
        *out = ip_reduce(value);
    return true;
}

void ip_real_text(double value, char out[32])
{
    /* %.15g drops trailing zeros, so it is the shortest whenever 15 digits are enough. */
    for (int digits = 15; digits <= 17; digits++) {
        format_plain(out, 32, "%.*g", digits, value);
        if (!isfinite(value) || plain_strtod(out, NULL) == value)
            return;
    }
}

bool ip_name_ok(const char *name)
{
    size_t size = strlen(name);
    return size >= 1 && size <= 100 && name[0] != '.' && name[0] != '-' &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == size;
}

bool ip_in_list(const char *comma_list, const char *word)
{
    size_t size = word ? strlen(word) : 0;
    if (!comma_list || size == 0)
        return false;
    for (const char *p = comma_list;; p++) {
        p += strspn(p, " ");
        size_t item = strcspn(p, ",");
        const char *next = p + item;
        while (item && p[item - 1] == ' ')
            item--;
        if (item == size && memcmp(p, word, size) == 0)
            return true;
        if (*next == 0)
            return false;
        p = next;
    }
}
