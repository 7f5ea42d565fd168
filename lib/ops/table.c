#include "op.h"
#include "ops_list.h"

#define DECLARE(name) extern const ip_op_spec ip_op_##name##_spec;
#define ENTRY(name) &ip_op_##name##_spec,

IP_OPERATIONS(DECLARE)
const ip_op_spec *const ip_op_specs[] = {IP_OPERATIONS(ENTRY) NULL};

static const ip_op_spec *find(const char *name, bool measures)
{
    for (const ip_op_spec *const *spec = ip_op_specs; *spec; spec++)
        if (name && (*spec)->measures == measures && strcmp((*spec)->name, name) == 0)
            return *spec;
    return NULL;
}

const ip_op_spec *ip_op_spec_find(const char *name)
{
    return find(name, false);
}

const ip_op_spec *ip_op_spec_measure(const char *name)
{
    return find(name, true);
}
