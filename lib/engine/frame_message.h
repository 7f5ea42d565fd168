/* Frames as messages: pixels stay in a shared pool, their description travels as JSON. */
#ifndef IP_FRAME_MESSAGE_H
#define IP_FRAME_MESSAGE_H

#include "message.h"
#include "shared_pool.h"

/* What the owner of a pool has lent to the other side: kept until it says "release". Thread-safe. */
typedef struct ip_loans ip_loans;
ipos_status ip_loans_new(ip_loans **out);
void ip_loans_free(ip_loans *loans); /* gives everything back */
size_t ip_loans_count(ip_loans *loans);
/* A "release" of the other side: gives one loan back. IPOS_ERR_FORMAT if nothing of the kind was lent. */
ipos_status ip_loans_return(ip_loans *loans, uint64_t offset);

/* Lends a frame: as it is if its samples lie in pool, else a copy in pool. *out: its description. */
ipos_status ip_frame_lend(ipos_frame *frame, ip_pool *pool, ip_loans *loans, json_t **out);
/* Lends a copy of bytes. *out: {"pool","offset","bytes"}. */
ipos_status ip_bytes_lend(const void *bytes, size_t size, ip_pool *pool, ip_loans *loans, json_t **out);

/* What borrows from the other side's pool. returned(user, offset) is called once for everything borrowed, on any thread, when it is no
 * longer looked at; retain and release keep user alive for so long. */
typedef struct ip_lender {
    int pool, fd;
    void *user;
    void (*returned)(void *user, uint64_t offset);
    void (*retain)(void *user);
    void (*release)(void *user);
} ip_lender;

/* A frame over the other side's memory. Everything in json is checked; on failure nothing is borrowed and returned is not called. */
ipos_status ip_frame_borrow(const json_t *json, const ip_lender *lender, ipos_frame **out);

typedef struct ip_borrowed_bytes {
    void *view;
    uint64_t size, offset;
} ip_borrowed_bytes;
ipos_status ip_bytes_borrow(const json_t *json, const ip_lender *lender, ip_borrowed_bytes *out);
void ip_bytes_return(ip_borrowed_bytes *bytes, const ip_lender *lender);

#endif
