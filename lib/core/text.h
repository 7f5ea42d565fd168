/* Formatting shared by error.c, buffer.c and memory.c. */
#ifndef IP_TEXT_H
#define IP_TEXT_H

#include "core.h"

/* vsnprintf with '.' as the decimal point whatever the host's locale. */
int ip_vformat(char *out, size_t room, const char *format, va_list args) IP_PRINTF(3, 0);
/* Cuts an unfinished sequence at the end and turns other bytes that are not UTF-8 into '?'. */
void ip_utf8_mend(char *text, size_t size);

#endif
