/* The grammar of frame lists: "10", "10-20", "1-99x2", "10.5", "21/2", "10-12x1/4", mixed with commas. */
#include "api.h"
#include <stdlib.h>

enum { MOST_TIMES = 100000, MOST_DIGITS = 10, MOST_DENOMINATOR = 10000, MOST_DECIMALS = 4 };

static ipos_status bad(const char *text, const char *at)
{
    return ip_fail(IPOS_ERR_ARGUMENT,
        "frames: '%s' is not understood at '%s': expected e.g. \"10\", \"10-20\", \"1-99x2\", \"10.5\", \"21/2\", comma-separated", text, at);
}

static bool digits(const char **at, int64_t *value, int *count)
{
    *count = 0;
    for (*value = 0; **at >= '0' && **at <= '9'; ++*at, ++*count) {
        if (*count >= MOST_DIGITS)
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return *count > 0;
}

/* One number: whole, decimal or fraction. (Not ip_parse_rational, which reads 23.976 as the frame rate 24000/1001.) */
static bool number(const char **at, ipos_rational *out)
{
    const bool negative = **at == '-';
    int64_t more;
    int count;

    *at += negative;
    if (!digits(at, &out->num, &count))
        return false;
    out->den = 1;
    if (**at == '.') {
        ++*at;
        if (!digits(at, &more, &count) || count > MOST_DECIMALS)
            return false;
        for (; count > 0; count--)
            out->num *= 10, out->den *= 10;
        out->num += more;
    } else if (**at == '/') {
        ++*at;
        if (!digits(at, &out->den, &count) || out->den == 0 || out->den > MOST_DENOMINATOR)
            return false;
    }
    if (negative)
        out->num = -out->num;
    *out = ip_reduce(*out);
    return true;
}

static int compare(const void *a, const void *b)
{
    const ipos_rational *x = a, *y = b;
    const ip_wide left = (ip_wide)x->num * y->den, right = (ip_wide)y->num * x->den;

    return (left > right) - (left < right);
}

static ipos_status add(ip_times *times, size_t *room, ipos_rational value)
{
    if (times->count == MOST_TIMES)
        return ip_fail(IPOS_ERR_ARGUMENT, "frames: more than %d in one request: ask in parts", MOST_TIMES);
    if (times->count == *room) {
        const size_t more = *room ? *room * 2 : 64;
        ipos_rational *grown = ip_realloc(times->at, more * sizeof *grown);
        if (!grown)
            return IPOS_ERR_NO_MEMORY;
        times->at = grown;
        *room = more;
    }
    times->at[times->count++] = value;
    return IPOS_OK;
}

static ipos_status add_range(ip_times *times, size_t *room, ipos_rational from, ipos_rational to, ipos_rational step)
{
    /* from + k * step over one common denominator, so nothing accumulates */
    const int64_t den = from.den * step.den;
    const ip_wide first = (ip_wide)from.num * step.den, by = (ip_wide)step.num * from.den;

    for (ip_wide at = first; at * to.den <= (ip_wide)to.num * den; at += by)
        IP_TRY(add(times, room, ip_reduce((ipos_rational){(int64_t)at, den})));
    return IPOS_OK;
}

static ipos_status item(ip_times *times, size_t *room, const char *text, const char **at)
{
    ipos_rational from, to, step = {1, 1};
    const char *begin = *at;

    if (!number(at, &from))
        return bad(text, begin);
    to = from;
    if (**at == '-') {
        ++*at;
        if (!number(at, &to))
            return bad(text, begin);
        if (compare(&from, &to) > 0)
            return ip_fail(IPOS_ERR_ARGUMENT, "frames: '%s' has a range that runs backwards at '%s': the smaller number comes first", text, begin);
        if (**at == 'x') {
            ++*at;
            if (!number(at, &step) || step.num <= 0)
                return bad(text, begin);
        }
    }
    return add_range(times, room, from, to, step);
}

static ipos_status items(ip_times *times, const char *text)
{
    size_t room = 0;

    for (const char *at = text;; at++) {
        at += strspn(at, " ");
        IP_TRY(item(times, &room, text, &at));
        at += strspn(at, " ");
        if (!*at)
            return IPOS_OK;
        if (*at != ',')
            return bad(text, at);
    }
}

ipos_status ip_times_parse(const char *text, ip_times *out)
{
    *out = (ip_times){0};
    ipos_status status = items(out, text);
    if (status != IPOS_OK) {
        ip_times_free(out);
        return status;
    }
    qsort(out->at, out->count, sizeof *out->at, compare);
    size_t kept = 1;
    for (size_t i = 1; i < out->count; i++)
        if (compare(&out->at[kept - 1], &out->at[i]) != 0)
            out->at[kept++] = out->at[i];
    out->count = kept;
    return IPOS_OK;
}

void ip_times_free(ip_times *times)
{
    ip_free(times->at);
    *times = (ip_times){0};
}

bool ip_times_has(const ip_times *times, int64_t number_)
{
    const ipos_rational value = {number_, 1};

    return times->count && bsearch(&value, times->at, times->count, sizeof *times->at, compare);
}
