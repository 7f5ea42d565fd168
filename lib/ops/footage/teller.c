#include "teller.h"

#include <stdarg.h>

static bool beat(void *user) {
    ip_teller *teller = user;
    if (!pthread_equal(teller->thread, pthread_self()))
        return !ip_cancelled(teller->host->cancel);
    return teller->host->progress(teller->host, teller->done, teller->stage, "") == IPOS_OK;
}

void ip_teller_open(ip_teller *teller, ip_op_host *host) { *teller = (ip_teller){.host = host, .thread = pthread_self(), .pulse = {beat, teller}}; }

ipos_status ip_teller_say(ip_teller *teller, double done, const char *stage, ...) {
    va_list arguments;
    va_start(arguments, stage);
    vsnprintf(teller->stage, sizeof teller->stage, stage, arguments);
    va_end(arguments);
    teller->done = IP_MAX(teller->done, done);
    return teller->host->progress(teller->host, teller->done, teller->stage, "");
}
