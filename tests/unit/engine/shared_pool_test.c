#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared_pool.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static ip_pool *new_pool(int *reader)
{
    int fd;
    ip_pool *pool;
    assert_int_equal(ip_pool_file(&fd), IPOS_OK);
    assert_int_equal(ip_pool_reopen(fd, reader), IPOS_OK);
    assert_int_equal(ip_pool_new(0, fd, true, &pool), IPOS_OK);
    return pool;
}

static void drop(ip_storage *block)
{
    block->release(block, block->user);
}

static uint64_t used_pages(int fd)
{
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    return (uint64_t)info.st_blocks * 512;
}

static void a_block_is_seen_by_the_reader(void **state)
{
    (void)state;
    int reader;
    ip_pool *pool = new_pool(&reader);
    ip_storage block;
    void *view;
    assert_int_equal(ip_pool_storage(pool, 10000, &block), IPOS_OK);
    assert_int_equal((uintptr_t)block.base % 4096, 0);
    assert_int_equal(block.offset % 4096, 0);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(((char *)block.base)[i], 0);
    memset(block.base, 5, 10000);
    assert_int_equal(ip_block_map(reader, block.offset, 10000, &view), IPOS_OK);
    assert_memory_equal(view, block.base, 10000);
    ((char *)view)[0] = 9; /* the reader's own page from now on */
    assert_int_equal(((char *)block.base)[0], 5);
    ip_block_unmap(view, 10000);
    drop(&block);
    ip_pool_release(pool);
    close(reader);
}

static void freed_memory_goes_back_and_comes_back_as_zeros(void **state)
{
    (void)state;
    int reader;
    ip_pool *pool = new_pool(&reader);
    ip_storage blocks[3];
    ip_pool_use use;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ip_pool_storage(pool, 1 << 20, blocks + i), IPOS_OK);
        memset(blocks[i].base, 1, 1 << 20);
    }
    assert_true(used_pages(reader) >= 3 << 20);
    uint64_t middle = blocks[1].offset;
    drop(blocks + 1);
    assert_true(used_pages(reader) <= 2 << 20);
    assert_int_equal(ip_pool_storage(pool, 5000, blocks + 1), IPOS_OK);
    assert_int_equal(blocks[1].offset, middle);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(((char *)blocks[1].base)[i], 0);
    for (int i = 0; i < 3; i++)
        drop(blocks + i);
    ip_pool_usage(pool, &use);
    assert_int_equal(use.blocks, 0);
    assert_int_equal(use.bytes, 0);
    assert_int_equal(used_pages(reader), 0);
    /* What was in three pieces is one again. */
    assert_int_equal(ip_pool_storage(pool, 3 << 20, blocks), IPOS_OK);
    assert_int_equal(blocks[0].offset, 0);
    drop(blocks);
    ip_pool_release(pool);
    close(reader);
}

static void survives_random_use(void **state)
{
    (void)state;
    enum { SLOTS = 64 };
    int reader;
    uint32_t random = 99;
    ip_pool *pool = new_pool(&reader);
    ip_storage slots[SLOTS] = {{0}};
    ip_pool_use use;
    for (int round = 0; round < 4000; round++) {
        random = random * 1664525 + 1013904223;
        int slot = (random >> 8) % SLOTS;
        if (slots[slot].base) {
            for (size_t i = 0; i < slots[slot].bytes; i += 4096)
                assert_int_equal(((unsigned char *)slots[slot].base)[i], slot + 1); /* nobody else wrote there */
            drop(slots + slot);
            slots[slot] = (ip_storage){0};
            continue;
        }
        assert_int_equal(ip_pool_storage(pool, 1 + (random >> 16) % 60000, slots + slot), IPOS_OK);
        for (size_t i = 0; i < slots[slot].bytes; i += 4096)
            assert_int_equal(((unsigned char *)slots[slot].base)[i], 0);
        for (size_t i = 0; i < slots[slot].bytes; i += 4096)
            ((unsigned char *)slots[slot].base)[i] = (unsigned char)(slot + 1);
    }
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].base)
            drop(slots + i);
    ip_pool_usage(pool, &use);
    assert_int_equal(use.blocks, 0);
    assert_true(use.file_bytes < 2 * SLOTS * 61440);
    ip_pool_release(pool);
    close(reader);
}

static void blocks_outlive_the_handle(void **state)
{
    (void)state;
    int reader;
    ip_pool *pool = new_pool(&reader);
    ip_storage block;
    assert_int_equal(ip_pool_storage(pool, 100, &block), IPOS_OK);
    assert_true(ip_pool_owns(pool, &block));
    ip_pool_release(pool);
    memset(block.base, 1, 100);
    drop(&block);
    close(reader);
}

static void refuses_blocks_that_are_not_there(void **state)
{
    (void)state;
    static const uint64_t wrong[][2] = {{0, 0}, {0, 8193}, {4096, 4097}, {8192, 1}, {1, 10}, {(uint64_t)1 << 62, 1}, {0, (uint64_t)1 << 62},
        {4096, UINT64_MAX}, {UINT64_MAX - 4095, 4096}};
    int reader;
    void *view;
    ip_pool *pool = new_pool(&reader);
    ip_storage block;
    assert_int_equal(ip_pool_storage(pool, 8192, &block), IPOS_OK);
    for (size_t i = 0; i < IP_COUNT(wrong); i++) {
        assert_int_equal(ip_block_map(reader, wrong[i][0], wrong[i][1], &view), IPOS_ERR_FORMAT);
        assert_null(view);
    }
    drop(&block);
    ip_pool_release(pool);
    close(reader);
}

static void refuses_more_than_there_is(void **state)
{
    (void)state;
    int reader;
    ip_pool *pool = new_pool(&reader);
    ip_storage block;
    assert_int_equal(ip_pool_storage(pool, (size_t)1 << 45, &block), IPOS_ERR_NO_MEMORY);
    assert_int_equal(ip_pool_storage(pool, SIZE_MAX, &block), IPOS_ERR_NO_MEMORY);
    assert_int_equal(ip_pool_storage(pool, 0, &block), IPOS_ERR_NO_MEMORY);
    assert_null(block.base);
    assert_int_equal(ip_pool_storage(pool, 1, &block), IPOS_OK);
    drop(&block);
    ip_pool_release(pool);
    close(reader);
}

static void the_file_is_protected(void **state)
{
    (void)state;
    int reader;
    ip_pool *pool = new_pool(&reader);
    ip_storage block;
    assert_int_equal(ip_pool_storage(pool, 8192, &block), IPOS_OK);
    assert_int_equal(ftruncate(ip_pool_fd(pool), 0), -1); /* not even the owner can take pages away under a reader */
    assert_int_equal(errno, EPERM);
    assert_int_equal(write(reader, "x", 1), -1);
    assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0), MAP_FAILED);
    assert_true(fcntl(reader, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(ip_pool_fd(pool), F_GETFD) & FD_CLOEXEC);
    drop(&block);
    ip_pool_release(pool);
    close(reader);
}

static void *use_it(void *user)
{
    for (int i = 0; i < 300; i++) {
        ip_storage block;
        if (ip_pool_storage(user, 1000 + (size_t)i * 97, &block) != IPOS_OK)
            return user;
        memset(block.base, i, block.bytes);
        block.release(&block, block.user);
    }
    return NULL;
}

static void many_threads_use_it(void **state)
{
    (void)state;
    int reader;
    ip_pool *pool = new_pool(&reader);
    pthread_t threads[4];
    ip_pool_use use;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(threads + i, NULL, use_it, pool), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_null(result);
    }
    ip_pool_usage(pool, &use);
    assert_int_equal(use.blocks, 0);
    ip_pool_release(pool);
    close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_seen_by_the_reader), cmocka_unit_test(freed_memory_goes_back_and_comes_back_as_zeros),
        cmocka_unit_test(survives_random_use), cmocka_unit_test(blocks_outlive_the_handle),
        cmocka_unit_test(refuses_blocks_that_are_not_there), cmocka_unit_test(refuses_more_than_there_is),
        cmocka_unit_test(the_file_is_protected), cmocka_unit_test(many_threads_use_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
