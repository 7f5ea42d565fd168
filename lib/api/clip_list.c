/* A clip of the store as the engine sees it. */
#include "api.h"

void ip_clip_view(const ip_store_clip *clip, ip_op_clip *view)
{
    *view = (ip_op_clip){
        .name = clip->name,
        .encoding = clip->encoding,
        .role = "",
        .may_train = clip->training == IPOS_TRAINING_ALLOWED,
        .first = clip->first,
        .last = clip->last,
        .rate = clip->rate,
        .cuts = clip->cuts,
        .cut_count = clip->cut_count,
        .duplicates = clip->duplicates,
        .duplicate_count = clip->duplicate_count,
        .missing = clip->missing,
        .missing_count = clip->missing_count,
    };
}
