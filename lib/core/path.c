/* Paths and folders. */
#include "core.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static ipos_status make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return IPOS_OK;
    int failed = errno;
    struct stat info;
    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return IPOS_OK;
        return ip_fail(IPOS_ERR_CONFLICT, "%s: a file of that name is in the way of a folder", path);
    }
    ipos_status status = ip_fail_errno(failed, "%s: the folder cannot be made", path);
    return status;
}

ipos_status ip_make_folders(const char *path)
{
    char *part = ip_strdup(path);
    if (!part)
        return IPOS_ERR_NO_MEMORY;
    ipos_status status = IPOS_OK;
    for (char *p = part + (part[0] == '/'); *p && status == IPOS_OK; p++)
        if (*p == '/' && p[-1] != '/') {
            *p = 0;
            status = make_folder(part);
            *p = '/';
        }
    if (status == IPOS_OK)
        status = make_folder(part);
    ip_free(part);
    return status;
}

char *ip_path_join(const char *folder, const char *name)
{
    size_t size = strlen(folder);
    if (name[0] == '/' || size == 0)
        return ip_strdup(name);
    return ip_format("%s%s%s", folder, folder[size - 1] == '/' ? "" : "/", name);
}

/* Drops the last part of out, unless it is a link: what ".." after a link means only the kernel knows. */
static bool drop_last(ip_buffer *out)
{
    struct stat info;
    if (out->size == 0)
        return true;
    ip_buffer_add(out, "", 1);
    if (out->failed)
        return true;
    out->size--;
    if (lstat(out->data, &info) == 0 && S_ISLNK(info.st_mode))
        return false;
    while (out->size && out->data[out->size - 1] != '/')
        out->size--;
    out->size -= out->size > 0;
    return true;
}

char *ip_path_absolute(const char *path)
{
    ip_buffer out = {0};
    char *start = NULL;
    if (path[0] != '/') {
        start = getcwd(NULL, 0);
        if (!start) {
            ip_fail_errno(errno, "%s: the current folder is unknown", path);
            return NULL;
        }
    }
    for (int pass = start ? 0 : 1; pass < 2; pass++)
        for (const char *p = pass ? path : start; *p;) {
            size_t size = strcspn(p, "/");
            bool up = size == 2 && p[0] == '.' && p[1] == '.', none = size == 0 || (size == 1 && p[0] == '.');
            if (!none && !(up && drop_last(&out))) {
                ip_buffer_add(&out, "/", 1);
                ip_buffer_add(&out, p, size);
            }
            p += size + (p[size] == '/');
        }
    if (out.size == 0)
        ip_buffer_add(&out, "/", 1);
    free(start);
    return ip_buffer_take(&out);
}
