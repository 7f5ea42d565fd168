/* Which backend this engine has: the one it was built with. */
#include "backend.h"
#include "core.h"
#include "torch/torch_backend.h"

static int32_t keep_text(int32_t status, const char *text)
{
    return ip_fail(status, "%s", text);
}

const ip_backend_v1 *ip_backend(void)
{
    return ip_torch_backend(keep_text);
}
