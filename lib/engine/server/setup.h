/* What an engine is made of besides the loop: its operations (ip_ops) and its tensor library. */
#ifndef IP_SETUP_H
#define IP_SETUP_H

#include "server.h"

const ip_server_backend *ip_engine_backend(void);

#endif
