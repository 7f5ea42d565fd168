/* Typed, listed, ranged settings. */
#include "core.h"

#include <inttypes.h>
#include <interpos/operation.h>

struct ip_option_values {
    const ip_option_spec *specs;
    size_t count;
    char *texts[]; /* NULL: the preset */
};

ip_option_values *ip_options_new(const ip_option_spec *specs, size_t count)
{
    if (count > 100000) {
        ip_fail(IPOS_ERR_ARGUMENT, "%zu settings are too many", count);
        return NULL;
    }
    ip_option_values *values = ip_calloc(1, sizeof *values + count * sizeof values->texts[0]);
    if (values) {
        values->specs = specs;
        values->count = count;
    }
    return values;
}

void ip_options_free(ip_option_values *values)
{
    if (!values)
        return;
    for (size_t i = 0; i < values->count; i++)
        ip_free(values->texts[i]);
    ip_free(values);
}

size_t ip_options_count(const ip_option_values *values)
{
    return values ? values->count : 0;
}

static size_t find(const ip_option_values *values, const char *name)
{
    size_t i = 0;
    while (i < values->count && strcmp(values->specs[i].name, name) != 0)
        i++;
    return i;
}

static ipos_status unknown(const ip_option_values *values, const char *name)
{
    ip_buffer known = {0};
    for (size_t i = 0; i < values->count; i++)
        ip_buffer_printf(&known, "%s%s", i ? ", " : "", values->specs[i].name);
    char *text = ip_buffer_take(&known);
    ip_fail(IPOS_ERR_ARGUMENT, "there is no setting \"%s\"; the settings are: %s", name, text && *text ? text : "none");
    ip_free(text);
    return IPOS_ERR_ARGUMENT;
}

static ipos_status wrong_number(const ip_option_spec *spec, const char *text)
{
    char low[32], high[32];
    ip_real_text(spec->minimum, low);
    ip_real_text(spec->maximum, high);
    return ip_fail(IPOS_ERR_ARGUMENT, "setting \"%s\": \"%s\" is not %s from %s to %s%s%s", spec->name, text,
        spec->type == IPOS_OPTION_INT ? "a whole number" : "a number", low, high, spec->unit && *spec->unit ? " " : "",
        spec->unit ? spec->unit : "");
}

/* The text as it is kept: checked, numbers and switches in one spelling. */
static ipos_status checked(const ip_option_spec *spec, const char *text, char **out)
{
    int64_t whole;
    double real;
    switch (spec->type) {
    case IPOS_OPTION_INT:
        if (!ip_parse_int(text, &whole) || (double)whole < spec->minimum || (double)whole > spec->maximum)
            return wrong_number(spec, text);
        *out = ip_format("%" PRId64, whole);
        break;
    case IPOS_OPTION_REAL: {
        char shortest[32];
        if (!ip_parse_real(text, &real) || real < spec->minimum || real > spec->maximum)
            return wrong_number(spec, text);
        ip_real_text(real, shortest);
        *out = ip_strdup(shortest);
        break;
    }
    case IPOS_OPTION_BOOL:
        if (!ip_in_list("0,1,false,true,off,on,no,yes", text))
            return ip_fail(IPOS_ERR_ARGUMENT, "setting \"%s\": \"%s\" is neither true nor false (1/0, on/off, yes/no)", spec->name, text);
        *out = ip_strdup(ip_in_list("1,true,on,yes", text) ? "1" : "0");
        break;
    case IPOS_OPTION_CHOICE:
        if (strchr(text, ',') || !ip_in_list(spec->choices, text))
            return ip_fail(IPOS_ERR_ARGUMENT, "setting \"%s\": \"%s\" is not one of: %s", spec->name, text, spec->choices);
        *out = ip_strdup(text);
        break;
    default:
        if (!ip_utf8_ok(text))
            return ip_fail(IPOS_ERR_ARGUMENT, "setting \"%s\": the text is not UTF-8", spec->name);
        *out = spec->type == IPOS_OPTION_FILE && *text ? ip_path_absolute(text) : ip_strdup(text);
    }
    return *out ? IPOS_OK : IPOS_ERR_NO_MEMORY;
}

ipos_status ip_options_set(ip_option_values *values, const char *name, const char *text)
{
    size_t i = find(values, name);
    if (i == values->count)
        return unknown(values, name);
    char *kept = NULL;
    if (text)
        IP_TRY(checked(&values->specs[i], text, &kept));
    ip_free(values->texts[i]);
    values->texts[i] = kept;
    return IPOS_OK;
}

const char *ip_options_text(const ip_option_values *values, const char *name)
{
    size_t i = find(values, name);
    if (i == values->count)
        return NULL;
    const char *preset = values->specs[i].preset;
    return values->texts[i] ? values->texts[i] : preset ? preset : "";
}

int64_t ip_options_int(const ip_option_values *values, const char *name)
{
    const char *text = ip_options_text(values, name);
    int64_t value;
    return text && ip_parse_int(text, &value) ? value : 0;
}

double ip_options_real(const ip_option_values *values, const char *name)
{
    const char *text = ip_options_text(values, name);
    double value;
    return text && ip_parse_real(text, &value) ? value : 0;
}

bool ip_options_bool(const ip_option_values *values, const char *name)
{
    const char *text = ip_options_text(values, name);
    return text && ip_in_list("1,true,on,yes", text);
}
