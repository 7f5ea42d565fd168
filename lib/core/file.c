/* Whole small files, atomic replacement, paths. */
#include "core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK so that a pipe without a writer cannot hold us; anything but a plain file is refused. */
static ipos_status open_plain(const char *path, int *fd, struct stat *info)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return ip_fail_errno(errno, "%s: cannot be opened", path);
    if (fstat(*fd, info) != 0 || !S_ISREG(info->st_mode)) {
        close(*fd);
        return ip_fail(IPOS_ERR_IO, "%s: is not a plain file; give the path of a file", path);
    }
    return IPOS_OK;
}

static ssize_t read_some(int fd, void *bytes, size_t size)
{
    ssize_t n;
    do
        n = read(fd, bytes, size);
    while (n < 0 && errno == EINTR);
    return n;
}

ipos_status ip_file_read(const char *path, uint64_t limit, void **bytes, size_t *size)
{
    int fd;
    struct stat info;
    *bytes = NULL;
    *size = 0;
    IP_TRY(open_plain(path, &fd, &info));
    if (limit == 0 || limit > SIZE_MAX / 4)
        limit = SIZE_MAX / 4;
    size_t used = 0, room = (size_t)IP_MIN((uint64_t)info.st_size, limit) + 1;
    char *data = ip_alloc(room);
    ipos_status status = data ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    while (status == IPOS_OK) {
        if (used == room) { /* it grew, or does not know its size */
            char *grown = ip_realloc(data, room * 2);
            if (!grown) {
                status = IPOS_ERR_NO_MEMORY;
                break;
            }
            data = grown;
            room *= 2;
        }
        ssize_t n = read_some(fd, data + used, room - used);
        if (n == 0)
            break;
        if (n < 0)
            status = ip_fail_errno(errno, "%s: cannot be read", path);
        else if ((used += (size_t)n) > limit)
            status = ip_fail(IPOS_ERR_NO_MEMORY, "%s: larger than the %llu bytes allowed here", path, (unsigned long long)limit);
    }
    close(fd);
    if (status == IPOS_OK && used == room) {
        char *grown = ip_realloc(data, room + 1);
        if (grown)
            data = grown;
        else
            status = IPOS_ERR_NO_MEMORY;
    }
    if (status != IPOS_OK) {
        ip_free(data);
        return status;
    }
    data[used] = 0;
    *bytes = data;
    *size = used;
    return IPOS_OK;
}

ipos_status ip_sha256_file(const char *path, char hex[65], uint64_t *size)
{
    enum { CHUNK = 256 << 10 };
    int fd;
    struct stat info;
    hex[0] = 0;
    if (size)
        *size = 0;
    IP_TRY(open_plain(path, &fd, &info));
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    ip_sha256 *hash = ip_sha256_new();
    void *chunk = hash ? ip_alloc(CHUNK) : NULL;
    ipos_status status = chunk ? IPOS_OK : IPOS_ERR_NO_MEMORY;
    uint64_t total = 0;
    while (status == IPOS_OK) {
        ssize_t n = read_some(fd, chunk, CHUNK);
        if (n == 0)
            break;
        if (n < 0)
            status = ip_fail_errno(errno, "%s: cannot be read", path);
        else if (!ip_sha256_add(hash, chunk, (size_t)n))
            status = ip_fail(IPOS_ERR_UNKNOWN, "%s: libcrypto could not hash it", path);
        else
            total += (uint64_t)n;
    }
    close(fd);
    ip_free(chunk);
    if (!ip_sha256_end(hash, hex) && status == IPOS_OK)
        status = ip_fail(IPOS_ERR_UNKNOWN, "%s: libcrypto could not hash it", path);
    if (status != IPOS_OK)
        hex[0] = 0;
    else if (size)
        *size = total;
    return status;
}

/* The folder part of path with its slash: length in bytes, 0 if there is none. */
static size_t folder_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

ipos_status ip_file_begin(const char *path, char **temporary, int *fd)
{
    static atomic_uint counter; /* only keeps two threads from trying the same name first */
    *temporary = NULL;
    *fd = -1;
    size_t folder = folder_size(path);
    for (int attempt = 0; attempt < 1000; attempt++) {
        unsigned number = atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
        char *name = ip_format("%.*s.%.180s.%ld-%u.tmp", (int)folder, path, path + folder, (long)getpid(), number);
        if (!name)
            return IPOS_ERR_NO_MEMORY;
        *fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666); /* the umask applies, as for any new file */
        if (*fd >= 0) {
            struct stat old;
            if (stat(path, &old) == 0 && S_ISREG(old.st_mode) && fchmod(*fd, old.st_mode & 0777) != 0)
                errno = 0; /* keeping the old permissions is a courtesy */
            *temporary = name;
            return IPOS_OK;
        }
        int number_of_error = errno;
        ip_free(name);
        if (number_of_error != EEXIST)
            return ip_fail_errno(number_of_error, "%s: cannot be written", path);
    }
    return ip_fail(IPOS_ERR_IO, "%s: no free name for a temporary file beside it; remove old .tmp files there", path);
}

void ip_file_abandon(char *temporary, int fd)
{
    if (fd >= 0)
        close(fd);
    if (temporary)
        unlink(temporary);
    ip_free(temporary);
}

ipos_status ip_folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ip_fail_errno(errno, "%s: cannot be opened", folder);
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    if (failed && failed != EINVAL && failed != EROFS && failed != ENOTSUP) /* some network file systems cannot */
        return ip_fail_errno(failed, "%s: cannot be written to disk", folder);
    return IPOS_OK;
}

ipos_status ip_file_commit(char *temporary, int fd, const char *path)
{
    int failed = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    if (close(fd) != 0 && !failed && errno != EINTR)
        failed = errno;
    if (failed || rename(temporary, path) != 0) {
        failed = failed ? failed : errno;
        ip_file_abandon(temporary, -1);
        return ip_fail_errno(failed, "%s: cannot be written", path);
    }
    ip_free(temporary);
    size_t folder = folder_size(path);
    char *name = folder ? ip_format("%.*s", (int)folder, path) : ip_strdup(".");
    if (!name)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = ip_folder_sync(name);
    ip_free(name);
    return status;
}

ipos_status ip_file_write(const char *path, const void *bytes, size_t size)
{
    char *temporary;
    int fd;
    IP_TRY(ip_file_begin(path, &temporary, &fd));
    const char *data = bytes;
    while (size) {
        ssize_t n = write(fd, data, IP_MIN(size, (size_t)1 << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int failed = n < 0 ? errno : EIO;
            ip_file_abandon(temporary, fd);
            return ip_fail_errno(failed, "%s: cannot be written", path);
        }
        data += n;
        size -= (size_t)n;
    }
    return ip_file_commit(temporary, fd, path);
}
