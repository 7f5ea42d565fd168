/* Memory that library and engine share: blocks in a sparse memory file. One side owns a pool (allocates, grows, frees), the other
 * reads single blocks of it. */
#ifndef IP_SHARED_POOL_H
#define IP_SHARED_POOL_H

#include "frame.h"

typedef struct ip_pool ip_pool; /* the owner's side; thread-safe; reference counted: every block holds one */

/* A new memory file that can grow but never shrink. Neither descriptor crosses an exec by itself. */
ipos_status ip_pool_file(int *fd);
/* The same file, for reading only. */
ipos_status ip_pool_reopen(int fd, int *read_only);

/* Owns blocks of the file fd (which stays the caller's until the last reference goes, if close_fd is false). id: 0 or 1. */
ipos_status ip_pool_new(int id, int fd, bool close_fd, ip_pool **out);
void ip_pool_retain(ip_pool *pool);
void ip_pool_release(ip_pool *pool);
int ip_pool_fd(const ip_pool *pool);
/* Memory in the pool, zeroed, page aligned; an ip_storage_fn with the pool as user. */
ipos_status ip_pool_storage(void *pool, size_t bytes, ip_storage *storage);
bool ip_pool_owns(const ip_pool *pool, const ip_storage *storage);

typedef struct ip_pool_use {
    uint64_t blocks, bytes; /* in use */
    uint64_t file_bytes;    /* extent of the file, holes included */
} ip_pool_use;
void ip_pool_usage(ip_pool *pool, ip_pool_use *use);

/* The reader's side: a private view of one block. The view may be written, the pool is not changed by it. Offset and size come from the
 * other side and are checked against the file. */
ipos_status ip_block_map(int fd, uint64_t offset, uint64_t bytes, void **view);
void ip_block_unmap(void *view, uint64_t bytes);

#endif
