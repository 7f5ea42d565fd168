#include "shared_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct extent {
    uint64_t offset, bytes;
} extent;

struct ip_pool {
    atomic_int refs;
    pthread_mutex_t lock;
    int id, fd;
    bool close_fd;
    pid_t owner;        /* a forked child shares the file but must not give parts of it back */
    uint64_t file_bytes, limit;
    extent *free;       /* ascending, never touching one another */
    size_t free_count, free_room, lost;
    ip_pool_use use;
};

static uint64_t page_size(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t whole_pages(uint64_t bytes)
{
    uint64_t page = page_size();
    return (bytes + page - 1) / page * page;
}

ipos_status ip_pool_file(int *fd)
{
    *fd = memfd_create("interpos", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return ip_fail(IPOS_ERR_IO, "shared memory: memfd_create: %s", strerror(errno));
    /* The other side cannot take away pages that this side has mapped: no SIGBUS. */
    if (fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
        return IPOS_OK;
    ipos_status status = ip_fail(IPOS_ERR_IO, "shared memory: sealing: %s", strerror(errno));
    close(*fd);
    *fd = -1;
    return status;
}

ipos_status ip_pool_reopen(int fd, int *read_only)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    *read_only = open(path, O_RDONLY | O_CLOEXEC);
    return *read_only >= 0 ? IPOS_OK : ip_fail(IPOS_ERR_IO, "shared memory: %s: %s (is /proc mounted?)", path, strerror(errno));
}

ipos_status ip_pool_new(int id, int fd, bool close_fd, ip_pool **out)
{
    struct stat info;
    *out = NULL;
    if (fstat(fd, &info) != 0)
        return ip_fail(IPOS_ERR_IO, "shared memory: fstat: %s", strerror(errno));
    ip_pool *pool = ip_calloc(1, sizeof *pool);
    if (!pool)
        return IPOS_ERR_NO_MEMORY;
    atomic_init(&pool->refs, 1);
    pthread_mutex_init(&pool->lock, NULL);
    pool->id = id;
    pool->fd = fd;
    pool->close_fd = close_fd;
    pool->owner = getpid();
    pool->file_bytes = whole_pages((uint64_t)info.st_size);
    pool->limit = (uint64_t)sysconf(_SC_PHYS_PAGES) * page_size();
    *out = pool;
    return IPOS_OK;
}

void ip_pool_retain(ip_pool *pool)
{
    atomic_fetch_add(&pool->refs, 1);
}

void ip_pool_release(ip_pool *pool)
{
    if (!pool || atomic_fetch_sub(&pool->refs, 1) != 1)
        return;
    if (pool->close_fd)
        close(pool->fd);
    pthread_mutex_destroy(&pool->lock);
    ip_free(pool->free);
    ip_free(pool);
}

int ip_pool_fd(const ip_pool *pool)
{
    return pool->fd;
}

/* Puts an extent back, joined with its neighbours. The list has room: every allocation made sure of it. */
static void give_back(ip_pool *pool, extent piece)
{
    size_t at = 0;
    while (at < pool->free_count && pool->free[at].offset < piece.offset)
        at++;
    bool joins_left = at > 0 && pool->free[at - 1].offset + pool->free[at - 1].bytes == piece.offset;
    bool joins_right = at < pool->free_count && piece.offset + piece.bytes == pool->free[at].offset;
    if (joins_left && joins_right) {
        pool->free[at - 1].bytes += piece.bytes + pool->free[at].bytes;
        memmove(pool->free + at, pool->free + at + 1, (--pool->free_count - at) * sizeof *pool->free);
    } else if (joins_left) {
        pool->free[at - 1].bytes += piece.bytes;
    } else if (joins_right) {
        pool->free[at].offset = piece.offset;
        pool->free[at].bytes += piece.bytes;
    } else {
        memmove(pool->free + at + 1, pool->free + at, (pool->free_count++ - at) * sizeof *pool->free);
        pool->free[at] = piece;
    }
}

/* First fit; grows the file when nothing fits. */
static ipos_status take(ip_pool *pool, uint64_t bytes, uint64_t *offset)
{
    /* At most one free extent between any two blocks in use, and one at each end. */
    size_t room = (size_t)pool->use.blocks + pool->lost + 3;
    if (room > pool->free_room) {
        extent *list = ip_realloc(pool->free, 2 * room * sizeof *list);
        if (!list)
            return IPOS_ERR_NO_MEMORY;
        pool->free = list;
        pool->free_room = 2 * room;
    }
    for (size_t i = 0; i < pool->free_count; i++) {
        if (pool->free[i].bytes < bytes)
            continue;
        *offset = pool->free[i].offset;
        pool->free[i].offset += bytes;
        pool->free[i].bytes -= bytes;
        if (pool->free[i].bytes == 0)
            memmove(pool->free + i, pool->free + i + 1, (--pool->free_count - i) * sizeof *pool->free);
        return IPOS_OK;
    }
    extent *last = pool->free_count ? pool->free + pool->free_count - 1 : NULL;
    bool open_end = last && last->offset + last->bytes == pool->file_bytes;
    uint64_t start = open_end ? last->offset : pool->file_bytes;
    if (ftruncate(pool->fd, (off_t)(start + bytes)) != 0)
        return ip_fail(IPOS_ERR_NO_MEMORY, "shared memory: growing to %llu bytes: %s", (unsigned long long)(start + bytes), strerror(errno));
    pool->file_bytes = start + bytes;
    pool->free_count -= open_end;
    *offset = start;
    return IPOS_OK;
}

/* The pages go back to the system, so that a later block in the same place reads as zeros. */
static void punch(ip_pool *pool, extent piece)
{
    if (fallocate(pool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)piece.offset, (off_t)piece.bytes) == 0)
        give_back(pool, piece);
    else
        pool->lost++; /* never used again: better lost than dirty */
}

static void block_release(ip_storage *storage, void *user)
{
    ip_pool *pool = user;
    extent piece = {storage->offset, whole_pages(storage->bytes)};
    munmap(storage->base, piece.bytes);
    if (getpid() == pool->owner) {
        pthread_mutex_lock(&pool->lock);
        punch(pool, piece);
        pool->use.blocks--;
        pool->use.bytes -= piece.bytes;
        pthread_mutex_unlock(&pool->lock);
    }
    ip_pool_release(pool);
}

/* Pages are claimed now, where a lack of memory is a status, rather than at the first touch, where it would be SIGBUS. */
static ipos_status claim(ip_pool *pool, extent piece, void **base)
{
    int error;
    do {
        error = fallocate(pool->fd, 0, (off_t)piece.offset, (off_t)piece.bytes) == 0 ? 0 : errno;
    } while (error == EINTR);
    if (error)
        return ip_fail(IPOS_ERR_NO_MEMORY, "shared memory: %llu bytes: %s", (unsigned long long)piece.bytes, strerror(error));
    *base = mmap(NULL, piece.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, pool->fd, (off_t)piece.offset);
    return *base != MAP_FAILED ? IPOS_OK : ip_fail(IPOS_ERR_NO_MEMORY, "shared memory: mmap of %llu bytes: %s",
        (unsigned long long)piece.bytes, strerror(errno));
}

ipos_status ip_pool_storage(void *user, size_t bytes, ip_storage *storage)
{
    ip_pool *pool = user;
    *storage = (ip_storage){.pool = -1};
    if (getpid() != pool->owner)
        return ip_fail(IPOS_ERR_STATE, "shared memory: made before a fork(); a forked child needs a context of its own");
    if (bytes == 0 || bytes > pool->limit)
        return ip_fail(IPOS_ERR_NO_MEMORY, "shared memory: %zu bytes asked for, this machine has %llu", bytes, (unsigned long long)pool->limit);
    extent piece = {0, whole_pages(bytes)};
    void *base = NULL;
    pthread_mutex_lock(&pool->lock);
    ipos_status status = take(pool, piece.bytes, &piece.offset);
    if (status == IPOS_OK) {
        pool->use.blocks++;
        status = claim(pool, piece, &base);
        if (status == IPOS_OK) {
            pool->use.bytes += piece.bytes;
        } else {
            punch(pool, piece);
            pool->use.blocks--;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    if (status != IPOS_OK)
        return status;
    ip_pool_retain(pool);
    *storage = (ip_storage){base, bytes, pool->id, piece.offset, block_release, pool};
    return IPOS_OK;
}

bool ip_pool_owns(const ip_pool *pool, const ip_storage *storage)
{
    return storage->base && storage->release == block_release && storage->user == pool;
}

void ip_pool_usage(ip_pool *pool, ip_pool_use *use)
{
    pthread_mutex_lock(&pool->lock);
    *use = pool->use;
    use->file_bytes = pool->file_bytes;
    pthread_mutex_unlock(&pool->lock);
}

ipos_status ip_block_map(int fd, uint64_t offset, uint64_t bytes, void **view)
{
    struct stat info;
    *view = NULL;
    if (fstat(fd, &info) != 0)
        return ip_fail(IPOS_ERR_IO, "shared memory: fstat: %s", strerror(errno));
    uint64_t size = (uint64_t)info.st_size;
    if (bytes == 0 || offset % page_size() != 0 || offset > size || bytes > size - offset)
        return ip_fail(IPOS_ERR_FORMAT, "shared memory: block at %llu of %llu bytes lies outside the %llu there are",
            (unsigned long long)offset, (unsigned long long)bytes, (unsigned long long)size);
    /* Private, so that whoever writes into a view gets a copy of that page and nobody else's data changes. */
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, (off_t)offset);
    if (base == MAP_FAILED)
        return ip_fail(IPOS_ERR_NO_MEMORY, "shared memory: mmap of %llu bytes: %s", (unsigned long long)bytes, strerror(errno));
    *view = base;
    return IPOS_OK;
}

void ip_block_unmap(void *view, uint64_t bytes)
{
    if (view)
        munmap(view, bytes);
}
