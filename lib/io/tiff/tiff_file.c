/* Opening, callbacks, table. libtiff's global handlers are the host's business: every handler here belongs to one handle. */
#include "tiff_file.h"
#include <interpos/version.h>
#include <stdarg.h>

ipos_status ip_tiff_fail(ip_tiff_file *file, char *text, ipos_status status, const char *what) {
    const char *said = file && file->said[0] ? file->said : "";
    snprintf(text, IP_TIFF_TEXT, "%s%s%.250s", what, said[0] ? ": " : "", said);
    return status;
}

static int on_error(TIFF *tif, void *user, const char *module, const char *format, va_list arguments) {
    (void)tif;
    (void)module;
    ip_tiff_file *file = user;
    if (!file->said[0])
        vsnprintf(file->said, sizeof file->said, format, arguments);
    return 1;
}

static int on_warning(TIFF *tif, void *user, const char *module, const char *format, va_list arguments) {
    (void)tif;
    (void)user;
    (void)module;
    (void)format;
    (void)arguments;
    return 1;
}

static tmsize_t on_read(thandle_t user, void *bytes, tmsize_t n) {
    ip_tiff_file *file = user;
    if (n <= 0)
        return 0;
    int64_t got = file->stream.read(file->stream.user, file->at, bytes, (size_t)n);
    if (got > 0)
        file->at += (uint64_t)got;
    return (tmsize_t)got;
}

static tmsize_t on_write(thandle_t user, void *bytes, tmsize_t n) {
    ip_tiff_file *file = user;
    if (n < 0 || !file->stream.write || !file->stream.write(file->stream.user, file->at, bytes, (size_t)n))
        return -1;
    file->at += (uint64_t)n;
    return n;
}

static toff_t on_seek(thandle_t user, toff_t offset, int whence) {
    ip_tiff_file *file = user;
    if (whence == SEEK_CUR)
        offset += file->at;
    else if (whence == SEEK_END)
        offset += file->stream.size(file->stream.user);
    file->at = offset;
    return offset;
}

static int on_close(thandle_t user) {
    (void)user;
    return 0;
}

static toff_t on_size(thandle_t user) {
    ip_tiff_file *file = user;
    return file->stream.size(file->stream.user);
}

static void close_file(void *handle) {
    ip_tiff_file *file = handle;
    if (!file)
        return;
    if (file->tif)
        TIFFClose(file->tif);
    for (size_t i = 0; i < file->name_count; i++)
        free(file->names[i]);
    free(file->names);
    free(file);
}

static ipos_status start(const ip_tiff_stream *stream, uint64_t limit, const char *mode, void **out, char *text) {
    *out = NULL;
    ip_tiff_file *file = calloc(1, sizeof *file);
    TIFFOpenOptions *options = file ? TIFFOpenOptionsAlloc() : NULL;
    if (!options) {
        free(file);
        return ip_tiff_fail(NULL, text, IPOS_ERR_NO_MEMORY, "out of memory");
    }
    file->stream = *stream;
    file->limit = limit;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(limit < PTRDIFF_MAX ? limit : PTRDIFF_MAX));
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, file);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, file);
    file->tif = TIFFClientOpenExt("tiff", mode, file, on_read, on_write, on_seek, on_close, on_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    if (!file->tif) {
        ip_tiff_fail(file, text, IPOS_ERR_FORMAT, "libtiff cannot open it");
        close_file(file);
        return IPOS_ERR_FORMAT;
    }
    *out = file;
    return IPOS_OK;
}

static ipos_status open_file(const ip_tiff_stream *stream, uint64_t memory_limit, void **file, char *text) {
    return start(stream, memory_limit, "rm", file, text);
}

static ipos_status create_file(const ip_tiff_stream *stream, bool big, void **file, char *text) {
    return start(stream, PTRDIFF_MAX, big ? "w8m" : "wm", file, text);
}

static ipos_status select_page(void *handle, uint32_t number, ip_tiff_page *page, char *text) {
    ip_tiff_file *file = handle;
    file->said[0] = 0;
    uint32_t pages = TIFFNumberOfDirectories(file->tif);
    file->said[0] = 0;
    if (number >= pages) {
        snprintf(text, IP_TIFF_TEXT, "page %u of %u", number, pages);
        return IPOS_ERR_NOT_FOUND;
    }
    if (!TIFFSetDirectory(file->tif, number))
        return ip_tiff_fail(file, text, IPOS_ERR_FORMAT, "the page's directory is damaged");
    ipos_status status = ip_tiff_describe(file, text);
    file->page.pages = pages;
    *page = file->page;
    return status;
}

static const ip_tiff_module module = {sizeof module, IPOS_VERSION, TIFFLIB_VERSION_STR, open_file, select_page, ip_tiff_tags,
    ip_tiff_read, create_file, ip_tiff_add, close_file};

IPOS_API const void *ip_tiff_module_v1(void);
const void *ip_tiff_module_v1(void) {
    return &module;
}
