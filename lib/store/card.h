/* The model card: what a model was made from, by whom, and how good it is. */
#ifndef IP_CARD_H
#define IP_CARD_H

#include "catalogue.h"

typedef struct ip_card_source {
    const char *name, *operation, *clips, *settings, *measured, *started;
} ip_card_source;
/* The document of ipos_model_card from the catalogue and what training measured. Every clip must permit training. */
ipos_status ip_card_make(ip_store *store, const ip_card_source *source, json_t **card);

#endif
