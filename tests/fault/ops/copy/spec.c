#include "op.h"

const ip_op_spec ip_op_copy_spec = {
    .name = "copy",
    .title = "Copy",
    .help = "Makes every frame asked for a copy of the frame before it.",
};
