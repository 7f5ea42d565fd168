#include "evidence.h"

ipos_status ip_evidence_new(ip_op_host *host, const ipos_box *window, const ipos_frame *like, const ipos_channel *channels, size_t count, ipos_frame **out) {
    *out = NULL;
    IP_TRY(host->frame_new(host, window, channels, count, out));
    (*out)->display_window = like->display_window;
    ipos_status status = ipos_frame_set_encoding(*out, "data");
    if (status != IPOS_OK) {
        ipos_frame_release(*out);
        *out = NULL;
    }
    return status;
}

void ip_evidence_row(ipos_frame *evidence, size_t channel, int y, const float *values) {
    const ip_channel *to = &evidence->channels[channel];
    ip_samples_from_float(to->type, values, to->data + y * to->row_stride, to->pixel_stride, (size_t)to->width);
}
