#include "format.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

ipos_status ip_output_open(const char *path, ip_output *output) {
    memset(output, 0, sizeof *output);
    output->fd = -1;
    output->name = ip_strdup(path ? path : "(memory)");
    if (!output->name)
        return IPOS_ERR_NO_MEMORY;
    if (!path)
        return IPOS_OK;
    output->path = ip_strdup(path);
    /* Not mkstemp: it makes the file private, and the mode that umask gives is only known to open(). */
    for (int attempt = 0; output->path && attempt < 8; attempt++) {
        uint64_t number = 0;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            number = (uint64_t)(ip_now() * 1e9) ^ (uint64_t)getpid() << 40;
        ip_free(output->temporary);
        output->temporary = ip_format("%s.%012llx.part", path, (unsigned long long)(number & 0xffffffffffffull));
        if (!output->temporary)
            break;
        output->fd = open(output->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (output->fd >= 0)
            return IPOS_OK;
        if (errno != EEXIST && errno != EINTR) {
            int error = errno;
            ip_free(output->temporary);
            output->temporary = NULL;
            ip_output_discard(output);
            return ip_fail(
                error == ENOENT ? IPOS_ERR_NOT_FOUND : IPOS_ERR_IO, "%s: cannot write there: %s", path, strerror(error));
        }
    }
    ip_output_discard(output);
    return ip_fail(IPOS_ERR_IO, "%s: cannot make a temporary file beside it", path);
}

static ipos_status grow(ip_output *output, uint64_t need) {
    if (need <= output->room)
        return IPOS_OK;
    if (need > SIZE_MAX / 4)
        return ip_fail(IPOS_ERR_NO_MEMORY, "%s: too large", output->name);
    size_t room = IP_MAX((size_t)need, output->room + output->room / 2);
    room = IP_MAX(room, (size_t)4096);
    uint8_t *data = ip_realloc(output->data, room);
    if (!data)
        return IPOS_ERR_NO_MEMORY;
    memset(data + output->room, 0, room - output->room);
    output->data = data;
    output->room = room;
    return IPOS_OK;
}

ipos_status ip_output_write(ip_output *output, uint64_t offset, const void *bytes, size_t n) {
    if (offset > UINT64_MAX / 4 || n > SIZE_MAX / 4)
        return ip_fail(IPOS_ERR_IO, "%s: write at an impossible offset", output->name);
    if (n == 0)
        return IPOS_OK;
    if (output->fd < 0) {
        IP_TRY(grow(output, offset + n));
        memcpy(output->data + offset, bytes, n);
    }
    for (size_t done = 0; output->fd >= 0 && done < n;) {
        ssize_t put = pwrite(output->fd, (const uint8_t *)bytes + done, n - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return ip_fail(IPOS_ERR_IO, "%s: write failed: %s", output->name, put < 0 ? strerror(errno) : "disk full");
        done += (size_t)put;
    }
    output->size = IP_MAX(output->size, offset + n);
    return IPOS_OK;
}

int64_t ip_output_read(const ip_output *output, uint64_t offset, void *out, size_t n) {
    if (offset >= output->size)
        return 0;
    if (n > output->size - offset)
        n = (size_t)(output->size - offset);
    if (output->fd < 0) {
        memcpy(out, output->data + offset, n);
        return (int64_t)n;
    }
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(output->fd, (uint8_t *)out + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            ip_fail(IPOS_ERR_IO, "%s: read failed: %s", output->name, strerror(errno));
            return -1;
        }
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

static void sync_folder(const char *path) {
    char *folder = ip_strdup(path);
    if (!folder)
        return;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    ip_free(folder);
}

ipos_status ip_output_finish(ip_output *output, void **bytes, size_t *size) {
    ipos_status status = IPOS_OK;
    if (output->path) {
        if (fsync(output->fd) != 0)
            status = ip_fail(IPOS_ERR_IO, "%s: write failed: %s", output->path, strerror(errno));
        int closed = close(output->fd);
        output->fd = -1;
        if (status == IPOS_OK && closed != 0)
            status = ip_fail(IPOS_ERR_IO, "%s: write failed: %s", output->path, strerror(errno));
        if (status == IPOS_OK && rename(output->temporary, output->path) != 0)
            status = ip_fail(IPOS_ERR_IO, "%s: cannot be replaced: %s", output->path, strerror(errno));
        if (status == IPOS_OK) {
            ip_free(output->temporary);
            output->temporary = NULL;
            sync_folder(output->path);
        }
    } else if (bytes && size) {
        *bytes = output->data;
        *size = (size_t)output->size;
        output->data = NULL;
    }
    ip_output_discard(output);
    return status;
}

void ip_output_discard(ip_output *output) {
    if (output->fd >= 0)
        close(output->fd);
    if (output->temporary)
        unlink(output->temporary);
    ip_free(output->temporary);
    ip_free(output->path);
    ip_free(output->name);
    ip_free(output->data);
    memset(output, 0, sizeof *output);
    output->fd = -1;
}
