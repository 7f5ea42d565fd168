#include "format.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

ipos_status ip_input_open(const char *path, ip_input *input) {
    memset(input, 0, sizeof *input);
    input->fd = -1;
    /* O_NONBLOCK: a fifo put where a picture is expected must not hang us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return ip_fail(
            errno == ENOENT || errno == ENOTDIR ? IPOS_ERR_NOT_FOUND : IPOS_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return ip_fail(IPOS_ERR_IO, "%s: not a regular file", path);
    }
    input->name = ip_strdup(path);
    if (!input->name) {
        close(fd);
        return IPOS_ERR_NO_MEMORY;
    }
    input->size = (uint64_t)st.st_size;
    input->fd = fd;
    return IPOS_OK;
}

ipos_status ip_input_memory(const void *bytes, size_t size, ip_input *input) {
    memset(input, 0, sizeof *input);
    input->fd = -1;
    input->name = ip_strdup("(memory)");
    if (!input->name)
        return IPOS_ERR_NO_MEMORY;
    input->bytes = bytes ? bytes : (const uint8_t *)"";
    input->size = size;
    return IPOS_OK;
}

void ip_input_close(ip_input *input) {
    if (!input)
        return;
    if (input->fd >= 0)
        close(input->fd);
    ip_free(input->name);
    memset(input, 0, sizeof *input);
    input->fd = -1;
}

int64_t ip_input_read(const ip_input *input, uint64_t offset, void *out, size_t n) {
    if (offset >= input->size)
        return 0;
    if (n > input->size - offset)
        n = (size_t)(input->size - offset);
    if (input->bytes) {
        memcpy(out, input->bytes + offset, n);
        return (int64_t)n;
    }
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(input->fd, (uint8_t *)out + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            ip_fail(IPOS_ERR_IO, "%s: read failed: %s", input->name, strerror(errno));
            return -1;
        }
        if (got == 0)
            break; /* truncated since it was opened */
        done += (size_t)got;
    }
    return (int64_t)done;
}
