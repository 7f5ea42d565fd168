#include "op.h"

extern const ip_op_spec ip_op_copy_spec;
extern const ip_op ip_op_copy;

static ipos_status copy_one(ip_op_host *host, ipos_rational time)
{
    ipos_frame *before, *result = NULL;
    IP_TRY(host->fetch(host, 0, time.num / time.den - (time.num % time.den == 0), &before));
    ipos_status status = host->frame_like(host, before, 0, &result);
    if (status == IPOS_OK)
        status = ip_frame_copy_pixels(result, before);
    if (status == IPOS_OK)
        status = host->emit(host, "copy", time, 1.0, result, NULL);
    ipos_frame_release(before);
    ipos_frame_release(result);
    return status;
}

static ipos_status run(ip_op_host *host)
{
    for (size_t i = 0; i < host->time_count; i++) {
        IP_TRY(host->progress(host, (double)i / (double)host->time_count, "copying", "\"frames\":1"));
        IP_TRY(copy_one(host, host->times[i]));
    }
    return host->variant(host, "copy", "The frame before", 0, -1, "{\"method\":\"copy\"}");
}

const ip_op ip_op_copy = {.spec = &ip_op_copy_spec, .run = run};
