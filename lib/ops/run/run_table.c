#include "op.h"
#include "ops_list.h"

#define DECLARE(name) extern const ip_op ip_op_##name;
#define ENTRY(name) &ip_op_##name,

IP_OPERATIONS(DECLARE)
const ip_op *const ip_ops[] = {IP_OPERATIONS(ENTRY) NULL};
