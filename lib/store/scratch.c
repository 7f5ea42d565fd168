#include "catalogue.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_SECONDS 30

ipos_status ip_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = fd < 0 ? -1 : fsync(fd);
    int error = errno;

    if (fd >= 0)
        close(fd);
    /* Some network file systems cannot sync a folder; the rename itself is still atomic there. */
    if (code != 0 && error != EINVAL && error != ENOTSUP)
        return ip_fail(IPOS_ERR_IO, "%s: cannot be synced: %s", path, strerror(error));
    return IPOS_OK;
}

static ipos_status remove_at(int parent, const char *name, const char *path, int depth)
{
    struct stat st;
    ipos_status status = IPOS_OK;
    DIR *folder;
    struct dirent *entry;
    int fd;

    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? IPOS_OK : ip_fail(IPOS_ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode)) {
        if (unlinkat(parent, name, 0) != 0 && errno != ENOENT)
            return ip_fail(IPOS_ERR_IO, "%s: cannot be removed: %s", path, strerror(errno));
        return IPOS_OK;
    }
    fd = depth < 8 ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        if (fd >= 0)
            close(fd);
        return ip_fail(IPOS_ERR_IO, "%s: cannot be opened for removal", path);
    }
    while (status == IPOS_OK && (entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = remove_at(dirfd(folder), entry->d_name, path, depth + 1);
    closedir(folder);
    if (status == IPOS_OK && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        status = ip_fail(IPOS_ERR_IO, "%s: cannot be removed: %s", path, strerror(errno));
    return status;
}

ipos_status ip_remove_tree(const char *path)
{
    return remove_at(AT_FDCWD, path, path, 0);
}

void ip_lock_drop(int fd)
{
    if (fd < 0)
        return;
    flock(fd, LOCK_UN); /* closing would not do where a fork of the host has the descriptor too */
    close(fd);
}

/* A holder that was stopped must not stop us for ever. */
static int lock_patiently(int fd, bool wait)
{
    const struct timespec pause = {0, 5000000};
    double end = ip_now() + LOCK_SECONDS;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR && (errno != EWOULDBLOCK || !wait || ip_now() > end))
            return -1;
        if (errno == EWOULDBLOCK)
            nanosleep(&pause, NULL);
    }
    return 0;
}

/* Opens and locks path. A cleaner may have unlinked the file between the two steps: then it is not a lock any more. */
static int lock_file(const char *path, bool wait)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        struct stat mine, there;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

        if (fd < 0)
            return -1;
        if (lock_patiently(fd, wait) != 0) {
            int error = errno;
            close(fd);
            errno = error;
            return -1;
        }
        if (fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
            return fd;
        close(fd);
    }
    errno = EWOULDBLOCK;
    return -1;
}

ipos_status ip_lock_take(ip_store *store, const char *name, bool wait, int *fd)
{
    char *path = ip_format("%s/tmp/%s", store->folder, name);

    *fd = -1;
    if (!path)
        return ip_no_memory(strlen(name));
    *fd = lock_file(path, wait);
    ipos_status status = IPOS_OK;
    if (*fd < 0)
        status = errno == EWOULDBLOCK ? ip_fail(IPOS_ERR_CONFLICT, "%s: another process holds it, try again when it is done", path)
                                      : ip_fail(IPOS_ERR_IO, "%s: cannot be locked: %s", path, strerror(errno));
    ip_free(path);
    return status;
}

void ip_lock_end(ip_store *store, const char *name, int fd)
{
    char *path = fd >= 0 && name ? ip_format("%s/tmp/%s", store->folder, name) : NULL;

    if (path)
        unlink(path); /* while it is held: whoever opened it meanwhile sees that it is gone and makes a new one */
    ip_free(path);
    ip_lock_drop(fd);
}

ipos_status ip_scratch_open(ip_store *store, ip_scratch *out)
{
    ipos_status status;

    memset(out, 0, sizeof *out);
    out->fd = -1;
    for (int attempt = 0; attempt < 1000; attempt++) {
        ip_scratch_close(out);
        out->folder = ip_format("%s/tmp/w-%ld-%lld", store->folder, (long)getpid(), (long long)++store->counter);
        out->lock = out->folder ? ip_format("%s.lock", out->folder) : NULL;
        if (!out->lock) {
            ip_scratch_close(out);
            return ip_no_memory(strlen(store->folder));
        }
        /* The lock comes first, so that no cleaner takes the folder for a leftover. */
        int fd = lock_file(out->lock, false);
        if (fd < 0 && errno == EWOULDBLOCK) {
            ip_free(out->folder);
            ip_free(out->lock);
            out->folder = out->lock = NULL;
            continue;
        }
        out->fd = fd;
        if (fd >= 0 && mkdir(out->folder, 0777) == 0)
            return IPOS_OK;
        if (fd < 0 || errno != EEXIST)
            break;
    }
    status = ip_fail(IPOS_ERR_IO, "%s: cannot be made: %s", out->folder ? out->folder : store->folder, strerror(errno));
    ip_scratch_close(out);
    return status;
}

void ip_scratch_close(ip_scratch *scratch)
{
    if (scratch->fd >= 0 && scratch->folder) {
        (void)ip_remove_tree(scratch->folder);
        unlink(scratch->lock);
    }
    ip_lock_drop(scratch->fd);
    ip_free(scratch->folder);
    ip_free(scratch->lock);
    *scratch = (ip_scratch){NULL, NULL, -1};
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);

    return a >= b && strcmp(text + a - b, end) == 0;
}

/* Work folders whose lock nobody holds. */
static ipos_status clean_work(ip_store *store)
{
    char *tmp = ip_path_join(store->folder, "tmp");
    DIR *folder = tmp ? opendir(tmp) : NULL;
    struct dirent *entry;
    ipos_status status = IPOS_OK;

    while (folder && status == IPOS_OK && (entry = readdir(folder))) {
        bool lock = ends_with(entry->d_name, ".lock");
        if (strncmp(entry->d_name, "w-", 2) != 0)
            continue;
        char *path = ip_format("%s/%s", tmp, entry->d_name);
        char *lock_path = lock ? ip_strdup(path) : ip_format("%s.lock", path ? path : "");
        if (!path || !lock_path) {
            status = ip_no_memory(strlen(tmp));
        } else {
            int fd = lock_file(lock_path, false);
            if (fd >= 0) {
                if (lock)
                    path[strlen(path) - 5] = 0;
                status = ip_remove_tree(path);
                unlink(lock_path);
                ip_lock_drop(fd);
            }
        }
        ip_free(path);
        ip_free(lock_path);
    }
    if (folder)
        closedir(folder);
    ip_free(tmp);
    return status;
}

bool ip_option_unfinished(ip_store *store, int64_t id)
{
    char *mark = ip_option_path(store, id, IP_OPTION_MARK);
    bool there = mark && access(mark, F_OK) == 0;

    ip_free(mark);
    return there;
}

/* A marked folder is one whose commit did not come to its end: kept if the row is there, else removed. A folder without mark or
 * row is left alone: an older catalogue may have been put back, and the pictures are then the only copy. */
static ipos_status clean_option(ip_store *store, int64_t id)
{
    sqlite3_stmt *row;
    char *path;
    ipos_status status;

    if (!ip_option_unfinished(store, id))
        return IPOS_OK;
    status = ip_db_first(store->db, &row, "SELECT 1 FROM options WHERE id=?", "i", id);
    if (status != IPOS_OK && status != IPOS_ERR_NOT_FOUND)
        return status;
    path = ip_option_path(store, id, status == IPOS_OK ? IP_OPTION_MARK : NULL);
    if (status == IPOS_OK)
        sqlite3_finalize(row);
    status = path ? ip_remove_tree(path) : ip_no_memory(256);
    ip_free(path);
    return status;
}

/* Option folders are renamed into place inside a write transaction, so whoever holds the write lock sees only finished ones and
 * leftovers. */
static ipos_status clean_options(ip_store *store)
{
    char *options = ip_path_join(store->folder, "options");
    DIR *folder = options ? opendir(options) : NULL;
    struct dirent *entry;
    bool begun = false;
    ipos_status status = IPOS_OK;

    while (folder && status == IPOS_OK && (entry = readdir(folder))) {
        int64_t id;
        if (!ip_option_id(entry->d_name, &id) || !ip_option_unfinished(store, id))
            continue;
        if (!begun)
            status = ip_store_begin(store);
        begun = status == IPOS_OK;
        if (begun)
            status = clean_option(store, id);
    }
    if (begun)
        status = ip_store_end(store, status);
    if (folder)
        closedir(folder);
    ip_free(options);
    return status;
}

ipos_status ip_scratch_clean(ip_store *store)
{
    IP_TRY(clean_work(store));
    return clean_options(store);
}
