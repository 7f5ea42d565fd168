/* Progress of work that beats from any thread: only the running thread may speak to the host, the others ask whether to go on. Engine only. */
#ifndef IP_TELLER_H
#define IP_TELLER_H

#include "image.h"
#include "op.h"
#include <pthread.h>

typedef struct ip_teller {
    ip_op_host *host;
    pthread_t thread;
    ip_pulse pulse;    /* for what works long: says stop where the host does */
    double done;       /* of the run, 0..1; never falls */
    char stage[200];
} ip_teller;
/* On the thread that runs the operation; the teller must not move afterwards. */
void ip_teller_open(ip_teller *teller, ip_op_host *host);
ipos_status ip_teller_say(ip_teller *teller, double done, const char *stage, ...) IP_PRINTF(3, 4);

#endif
