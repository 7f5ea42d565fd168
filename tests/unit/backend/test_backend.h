#ifndef TEST_BACKEND_H
#define TEST_BACKEND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "backend.h"
#include "core.h"

extern const ip_backend_v1 *ip_tested;

#define ok(call)                                                                                    \
    do {                                                                                            \
        int32_t ok_status_ = (call);                                                                \
        if (ok_status_ != IPOS_OK)                                                                  \
            fail_msg("%s:%d: %s gives %d: %s", __FILE__, __LINE__, #call, ok_status_, ipos_last_error()); \
    } while (0)

void test_gradients(void **state);

#endif
