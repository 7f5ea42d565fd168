/* interpos_engine.so: the same engine for a host that wants it in its own process. */
#include "setup.h"

__attribute__((visibility("default"))) int interpos_engine_v1(const ip_server_config *config);

int interpos_engine_v1(const ip_server_config *config)
{
    return ip_server_main(config, ip_ops, ip_engine_backend());
}
