/* Evidence: numbers that go along with a picture, place by place. */
#ifndef IP_EVIDENCE_H
#define IP_EVIDENCE_H

#include "op.h"

/* A frame of data over that window, shown like the picture it goes along with; the caller releases it. NULL where it fails. */
ipos_status ip_evidence_new(ip_op_host *host, const ipos_box *window, const ipos_frame *like, const ipos_channel *channels, size_t count, ipos_frame **out);
/* A row of a channel: as many values as it is wide. */
void ip_evidence_row(ipos_frame *evidence, size_t channel, int y, const float *values);

#endif
