#include "catalogue.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PIECE (1 << 20)

static ipos_status pump(int in, int out, const char *from, const char *to)
{
    char *piece = ip_alloc(PIECE);
    ipos_status status = piece ? IPOS_OK : ip_no_memory(PIECE);

    while (status == IPOS_OK) {
        ssize_t got = read(in, piece, PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = ip_fail(IPOS_ERR_IO, "%s: cannot be read: %s", from, strerror(errno));
        if (got <= 0)
            break;
        for (ssize_t at = 0; at < got && status == IPOS_OK;) {
            ssize_t put = write(out, piece + at, (size_t)(got - at));
            if (put < 0 && errno != EINTR)
                status = ip_fail(IPOS_ERR_IO, "%s: cannot be written: %s", to, strerror(errno));
            at += IP_MAX(put, 0);
        }
    }
    if (status == IPOS_OK && fsync(out) != 0)
        status = ip_fail(IPOS_ERR_IO, "%s: cannot be written: %s", to, strerror(errno));
    ip_free(piece);
    return status;
}

ipos_status ip_copy_file(const char *from, const char *to)
{
    char *temporary = ip_format("%s.part-%ld", to, (long)getpid());
    ipos_status status = IPOS_OK;
    int in = temporary ? open(from, O_RDONLY | O_CLOEXEC) : -1;
    int out = in >= 0 ? open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;

    if (!temporary)
        return ip_no_memory(strlen(to));
    if (in < 0 || out < 0)
        status = ip_fail(IPOS_ERR_IO, "%s: cannot be opened: %s", in < 0 ? from : temporary, strerror(errno));
    else
        status = pump(in, out, from, to);
    if (out >= 0 && close(out) != 0 && status == IPOS_OK)
        status = ip_fail(IPOS_ERR_IO, "%s: cannot be written: %s", temporary, strerror(errno));
    if (in >= 0)
        close(in);
    if (status == IPOS_OK && rename(temporary, to) != 0)
        status = ip_fail(IPOS_ERR_IO, "%s: cannot be put in place: %s", to, strerror(errno));
    if (status != IPOS_OK && out >= 0)
        unlink(temporary);
    ip_free(temporary);
    return status;
}
