/* The look as a handle. */
#ifndef IP_API_LOOK_H
#define IP_API_LOOK_H

#include "api.h"
#include "fingerprint.h"

enum { IP_MAGIC_LOOK = 0x4c504950 };

struct ipos_look {
    uint32_t magic;
    atomic_int refs;
    json_t *document; /* checked; nobody changes it */
};

/* Takes the document over, also when it fails. */
ipos_status ip_look_new(json_t *document, ipos_look **out);

#endif
