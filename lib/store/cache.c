/* What operations found and can find again: files in the project's folder cache, named by a hash of all they rest on. Anybody may remove them. */
#include "catalogue.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { HASH = 64, MOST_FILES = 65536 };
static const uint64_t MOST_BYTES = (uint64_t)8 << 30; /* of the folder */

static bool key_ok(const char *key)
{
    return strlen(key) == HASH && strspn(key, "0123456789abcdef") == HASH;
}

static char *path_of(const ip_store *store, const char *key)
{
    return ip_format("%s/cache/%s", store->folder, key);
}

ipos_status ip_cache_recall(ip_store *store, const char *key, void **bytes, size_t *size)
{
    char hash[65], *path;
    void *held = NULL;
    size_t count = 0;

    *bytes = NULL;
    *size = 0;
    if (!key_ok(key))
        return ip_fail(IPOS_ERR_ARGUMENT, "cache: \"%.80s\" is no key: expected 64 hexadecimal digits", key);
    path = path_of(store, key);
    if (!path)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = ip_file_read(path, 0, &held, &count);
    bool whole = status == IPOS_OK && count > HASH && ip_sha256_of((char *)held + HASH, count - HASH, hash) && !memcmp(hash, held, HASH);
    if (whole) {
        utimensat(AT_FDCWD, path, NULL, 0); /* used: it goes later than others */
        memmove(held, (char *)held + HASH, count - HASH);
        *bytes = held;
        *size = count - HASH;
    } else {
        if (status == IPOS_OK)
            unlink(path); /* cut off or altered */
        ip_free(held);
    }
    ip_free(path);
    return status == IPOS_ERR_NO_MEMORY ? status : IPOS_OK;
}

typedef struct cached {
    char name[HASH + 1];
    int64_t used;
    uint64_t bytes;
} cached;

static int older(const void *a, const void *b)
{
    int64_t x = ((const cached *)a)->used, y = ((const cached *)b)->used;

    return (x > y) - (x < y);
}

/* The longest unused go until there is room for more. */
static ipos_status make_room(const ip_store *store, const char *folder, uint64_t more)
{
    DIR *open = opendir(folder);
    cached *list = open ? ip_alloc(MOST_FILES * sizeof *list) : NULL;
    struct dirent *entry;
    struct stat st;
    size_t count = 0;
    uint64_t all = more;

    while (list && count < MOST_FILES && (entry = readdir(open))) {
        if (!key_ok(entry->d_name) || fstatat(dirfd(open), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        list[count] = (cached){.used = (int64_t)st.st_mtim.tv_sec, .bytes = (uint64_t)st.st_size};
        memcpy(list[count++].name, entry->d_name, HASH + 1);
        all += (uint64_t)st.st_size;
    }
    if (list && all > MOST_BYTES)
        qsort(list, count, sizeof *list, older);
    for (size_t i = 0; list && i < count && all > MOST_BYTES; i++) {
        char *path = path_of(store, list[i].name);
        if (path && unlink(path) == 0)
            all -= list[i].bytes;
        ip_free(path);
    }
    ip_free(list);
    if (open)
        closedir(open);
    return open ? IPOS_OK : ip_fail(IPOS_ERR_IO, "%s: cannot be opened", folder);
}

ipos_status ip_cache_keep(ip_store *store, const char *key, const void *bytes, size_t size)
{
    char *folder = ip_path_join(store->folder, "cache"), *path = path_of(store, key), *whole = ip_alloc(size + HASH + 1);
    ipos_status status = folder && path && whole ? IPOS_OK : IPOS_ERR_NO_MEMORY;

    if (status == IPOS_OK && !key_ok(key))
        status = ip_fail(IPOS_ERR_ARGUMENT, "cache: \"%.80s\" is no key: expected 64 hexadecimal digits", key);
    if (status == IPOS_OK)
        status = ip_make_folders(folder);
    if (status == IPOS_OK)
        status = make_room(store, folder, size);
    if (status == IPOS_OK && !ip_sha256_of(bytes, size, whole))
        status = IPOS_ERR_NO_MEMORY;
    if (status == IPOS_OK) {
        memcpy(whole + HASH, bytes, size);
        status = ip_file_write(path, whole, size + HASH);
    }
    ip_free(folder);
    ip_free(path);
    ip_free(whole);
    return status;
}
