/* Texts in the JSON that operations tell. */
#ifndef IP_QUOTE_H
#define IP_QUOTE_H

#include "core.h"

/* Adds text as a JSON string, quotes and escapes included; "" for what is not UTF-8. */
void ip_quote(ip_buffer *to, const char *text);

#endif
