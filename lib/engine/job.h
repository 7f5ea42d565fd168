/* One job over a connection. */
#ifndef IP_JOB_H
#define IP_JOB_H

#include "connection.h"

/* The message that starts a job; job NULL: info. Lends model and checkpoint. */
ipos_status ip_job_start(ip_connection *connection, const ip_job *job, uint32_t id, bool measure);
/* Pumps until done. *broken: the connection failed and has been closed. info (may be NULL): what an info job answers, to be freed. */
ipos_status ip_job_pump(ip_connection *connection, const ip_job *job, uint32_t id, char **info, bool *broken);

#endif
