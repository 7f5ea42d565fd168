#include "publish.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

char *ip_place_temporary(const char *path, const char *mark)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    /* Hidden, and the same at every try, so that a repeat after a kill finds and replaces it. The extension stays: the movie
     * writer goes by it. */
    return ip_format("%.*s.%s.%s.part%s", (int)(name - path), path, name, mark, dot ? dot : "");
}

static ipos_status write_all(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    ipos_status status = fd < 0 ? ip_fail(IPOS_ERR_IO, "%s: cannot be made: %s", path, strerror(errno)) : IPOS_OK;

    for (size_t at = 0; status == IPOS_OK && at < size;) {
        ssize_t put = write(fd, (const char *)bytes + at, size - at);
        if (put < 0 && errno != EINTR)
            status = ip_fail(IPOS_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
        at += put > 0 ? (size_t)put : 0;
    }
    if (status == IPOS_OK && fsync(fd) != 0)
        status = ip_fail(IPOS_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

ipos_status ip_place_file(const char *temporary, const char *path)
{
    char *folder = ip_strdup(path);
    /* A link never replaces what is there; file systems without links get a rename after a look. */
    int code = link(temporary, path), error = errno;
    ipos_status status = IPOS_OK;

    if (code != 0 && (error == EPERM || error == ENOTSUP || error == ENOSYS || error == EMLINK))
        code = access(path, F_OK) == 0 ? (error = EEXIST, -1) : rename(temporary, path), error = code ? errno : 0;
    if (code != 0)
        status = error == EEXIST ? ip_fail(IPOS_ERR_CONFLICT, "%s: exists: it appeared while the picture was being written", path)
                                 : ip_fail(IPOS_ERR_IO, "%s: cannot be put in place: %s", path, strerror(error));
    unlink(temporary);
    if (status == IPOS_OK && folder && strrchr(folder, '/')) {
        *(strrchr(folder, '/') + 1) = 0;
        status = ip_sync_folder(folder);
    }
    ip_free(folder);
    return status;
}

ipos_status ip_place_bytes(const char *path, const char *mark, const void *bytes, size_t size, const char *hash, bool write,
    bool *written)
{
    char found[65], *temporary;
    uint64_t length;
    ipos_status status;

    if (access(path, F_OK) == 0) {
        IP_TRY(ip_sha256_file(path, found, &length));
        if (strcmp(found, hash) == 0)
            return IPOS_OK;
        return ip_fail(IPOS_ERR_CONFLICT, "%s: exists and holds something else: nothing is overwritten, choose another output or move it away", path);
    }
    if (!write)
        return IPOS_OK;
    temporary = ip_place_temporary(path, mark);
    if (!temporary)
        return ip_no_memory(256);
    status = write_all(temporary, bytes, size);
    if (status == IPOS_OK)
        status = ip_place_file(temporary, path);
    else
        unlink(temporary);
    ip_free(temporary);
    if (status == IPOS_OK && written)
        *written = true;
    return status;
}
