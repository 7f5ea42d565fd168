/* Strips, tiles and planes into our planes. */
#include "tiff_file.h"

static uint32_t get_bits(const uint8_t *row, uint64_t at, uint32_t bits) {
    uint32_t value = 0;
    while (bits) { /* most significant first */
        uint32_t room = 8 - (uint32_t)(at & 7), take = room < bits ? room : bits;
        value = value << take | ((row[at >> 3] >> (room - take)) & ((1u << take) - 1));
        at += take;
        bits -= take;
    }
    return value;
}

/* Repeats the bits so that 0 stays 0, the top stays the top, and the shift back is exact. */
static uint32_t replicate(uint32_t value, uint32_t bits, uint32_t wanted) {
    uint64_t wide = value;
    uint32_t have = bits;
    while (have < wanted) {
        wide = wide << bits | value;
        have += bits;
    }
    return (uint32_t)(wide >> (have - wanted));
}

static void widen_odd(
    const uint8_t *row, uint64_t first, uint32_t step, uint32_t n, const ip_tiff_file *file, uint8_t *to, ptrdiff_t stride) {
    uint32_t bits = file->bits, mask = (1u << bits) - 1;
    for (uint32_t i = 0; i < n; i++, to += stride) {
        uint64_t at = (first + (uint64_t)i * step);
        uint32_t v;
        if (bits == 24) { /* libtiff hands these out in machine order */
            const uint8_t *b = row + at * 3;
            v = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0]
                                                          : (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
        } else {
            v = get_bits(row, at * bits, bits);
        }
        if (file->invert)
            v = mask - v;
        if (file->page.sample_type == IPOS_U8) {
            *to = (uint8_t)replicate(v, bits, 8);
        } else if (file->page.sample_type == IPOS_U16) {
            uint16_t v16 = (uint16_t)replicate(v, bits, 16);
            memcpy(to, &v16, 2);
        } else {
            float f = (float)((double)v / mask);
            memcpy(to, &f, 4);
        }
    }
}

void ip_tiff_widen(
    const uint8_t *row, uint64_t first, uint32_t step, uint32_t n, const ip_tiff_file *file, uint8_t *to, ptrdiff_t stride) {
    if (file->bits == 8) {
        uint8_t flip = file->invert ? 255 : 0;
        for (uint32_t i = 0; i < n; i++, to += stride)
            *to = row[first + (uint64_t)i * step] ^ flip;
    } else if (file->bits == 16) {
        uint16_t flip = file->invert ? 65535 : 0, v;
        for (uint32_t i = 0; i < n; i++, to += stride) {
            memcpy(&v, row + 2 * (first + (uint64_t)i * step), 2);
            v ^= flip;
            memcpy(to, &v, 2);
        }
    } else if (file->bits == 32) {
        uint32_t flip = file->invert ? UINT32_MAX : 0, v;
        for (uint32_t i = 0; i < n; i++, to += stride) {
            memcpy(&v, row + 4 * (first + (uint64_t)i * step), 4);
            v ^= flip;
            memcpy(to, &v, 4);
        }
    } else {
        widen_odd(row, first, step, n, file, to, stride);
    }
}

static uint8_t *place(const ipos_plane *plane, uint32_t x, uint32_t y) {
    return (uint8_t *)plane->data + (ptrdiff_t)y * plane->row_stride + (ptrdiff_t)x * plane->pixel_stride;
}

static void palette_run(ip_tiff_file *file, const uint8_t *row, uint32_t n, const ipos_plane *planes, uint32_t x, uint32_t y) {
    uint16_t *map[3] = {NULL, NULL, NULL};
    if (!TIFFGetField(file->tif, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]))
        return;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v;
        if (file->bits == 16) {
            uint16_t v16;
            memcpy(&v16, row + 2 * (size_t)i, 2);
            v = v16;
        } else {
            v = get_bits(row, (uint64_t)i * file->bits, file->bits);
        }
        for (int c = 0; c < 3; c++)
            *place(&planes[c], x + i, y) = (uint8_t)(map[c][v] >> 8);
    }
}

/* Ink c of a row: R, G, B = (1 - C, M, Y) * (1 - K), without a profile, as libtiff does at 8 bits. K, the last, comes after the others. */
static void ink_run(const uint8_t *row, uint32_t step, uint32_t n, uint32_t ink, const ipos_plane *planes, uint32_t x, uint32_t y) {
    for (uint32_t i = 0; i < n; i++) {
        uint16_t left, light;
        memcpy(&left, row + 2 * ((size_t)i * step), 2);
        left = (uint16_t)(65535 - left);
        for (uint32_t c = ink < 3 ? ink : 0; c < (ink < 3 ? ink + 1 : 3); c++) {
            uint8_t *to = place(&planes[c], x + i, y);
            memcpy(&light, to, 2);
            light = ink < 3 ? left : (uint16_t)(((uint32_t)light * left + 32767) / 65535);
            memcpy(to, &light, 2);
        }
    }
}

/* libtiff's matrix from XYZ to Rec.709 primaries. */
static void xyz_run(const uint8_t *row, uint32_t n, const ipos_plane *planes, uint32_t x, uint32_t y) {
    static const double m[3][3] = {{2.690, -1.276, -0.414}, {-1.022, 1.978, 0.044}, {0.061, -0.224, 1.163}};
    for (uint32_t i = 0; i < n; i++) {
        float in[3];
        memcpy(in, row + 12 * (size_t)i, 12);
        for (int c = 0; c < 3; c++) {
            float v = (float)(m[c][0] * in[0] + m[c][1] * in[1] + m[c][2] * in[2]);
            memcpy(place(&planes[c], x + i, y), &v, 4);
        }
    }
}

/* One row of a strip or tile: n pixels from x, y on, of all samples or of one plane. */
static void put_row(
    ip_tiff_file *file, const uint8_t *row, uint32_t n, const ipos_plane *planes, int32_t plane, uint32_t x, uint32_t y) {
    if (file->way == IP_TIFF_PALETTE) {
        palette_run(file, row, n, planes, x, y);
    } else if (file->way == IP_TIFF_LOGLUV) {
        xyz_run(row, n, planes, x, y);
    } else if (file->way == IP_TIFF_CMYK) {
        for (uint32_t ink = plane >= 0 ? (uint32_t)plane : 0; ink < (plane >= 0 ? (uint32_t)plane + 1 : 4); ink++)
            ink_run(plane >= 0 ? row : row + 2 * ink, plane >= 0 ? 1 : 4, n, ink, planes, x, y);
    } else if (plane >= 0) {
        ip_tiff_widen(row, 0, 1, n, file, place(&planes[plane], x, y), planes[plane].pixel_stride);
    } else {
        for (uint32_t c = 0; c < file->samples; c++)
            ip_tiff_widen(row, c, file->samples, n, file, place(&planes[c], x, y), planes[c].pixel_stride);
    }
}

static uint8_t *make_buffer(ip_tiff_file *file, tmsize_t size, char *text) {
    if (size <= 0 || (uint64_t)size > file->limit) {
        ip_tiff_fail(file, text, IPOS_ERR_FORMAT, "strips or tiles of impossible size");
        return NULL;
    }
    uint8_t *buffer = calloc(1, (size_t)size + 8);
    if (!buffer)
        ip_tiff_fail(NULL, text, IPOS_ERR_NO_MEMORY, "out of memory");
    return buffer;
}

static ipos_status read_strips(
    ip_tiff_file *file, const ipos_plane *planes, int32_t plane, uint8_t *buffer, ip_tiff_stop_fn stop, void *user, char *text) {
    uint32_t rows = 0, height = file->page.height;
    TIFFGetFieldDefaulted(file->tif, TIFFTAG_ROWSPERSTRIP, &rows);
    rows = rows == 0 || rows > height ? height : rows;
    tmsize_t row_bytes = TIFFScanlineSize(file->tif);
    for (uint32_t y = 0; y < height; y += rows) {
        if (stop && stop(user))
            return ip_tiff_fail(NULL, text, IPOS_ERR_CANCELLED, "reading was cancelled");
        uint32_t here = height - y < rows ? height - y : rows;
        tmsize_t size = TIFFVStripSize(file->tif, here);
        uint32_t strip = TIFFComputeStrip(file->tif, y, (uint16_t)(plane > 0 ? plane : 0));
        if (size < row_bytes * (tmsize_t)here || TIFFReadEncodedStrip(file->tif, strip, buffer, size) < size)
            return ip_tiff_fail(file, text, IPOS_ERR_FORMAT, "damaged pixels");
        for (uint32_t r = 0; r < here; r++)
            put_row(file, buffer + (size_t)r * (size_t)row_bytes, file->page.width, planes, plane, 0, y + r);
        if (y > UINT32_MAX - rows)
            break;
    }
    return IPOS_OK;
}

static ipos_status read_tiles(
    ip_tiff_file *file, const ipos_plane *planes, int32_t plane, uint8_t *buffer, ip_tiff_stop_fn stop, void *user, char *text) {
    const ip_tiff_page *page = &file->page;
    tmsize_t row_bytes = TIFFTileRowSize(file->tif), size = TIFFTileSize(file->tif);
    if (row_bytes <= 0 || row_bytes > size / (tmsize_t)page->tile_height)
        return ip_tiff_fail(file, text, IPOS_ERR_FORMAT, "tiles of impossible size");
    for (uint64_t y = 0; y < page->height; y += page->tile_height) {
        for (uint64_t x = 0; x < page->width; x += page->tile_width) {
            if (stop && stop(user))
                return ip_tiff_fail(NULL, text, IPOS_ERR_CANCELLED, "reading was cancelled");
            uint32_t tile = TIFFComputeTile(file->tif, (uint32_t)x, (uint32_t)y, 0, (uint16_t)(plane > 0 ? plane : 0));
            if (TIFFReadEncodedTile(file->tif, tile, buffer, size) < size)
                return ip_tiff_fail(file, text, IPOS_ERR_FORMAT, "damaged pixels");
            uint32_t columns = (uint32_t)(page->width - x < page->tile_width ? page->width - x : page->tile_width);
            uint32_t rows = (uint32_t)(page->height - y < page->tile_height ? page->height - y : page->tile_height);
            for (uint32_t r = 0; r < rows; r++)
                put_row(file, buffer + (size_t)r * (size_t)row_bytes, columns, planes, plane, (uint32_t)x, (uint32_t)y + r);
        }
    }
    return IPOS_OK;
}

static ipos_status read_rgba(ip_tiff_file *file, const ipos_plane *planes, char *text) {
    const ip_tiff_page *page = &file->page;
    uint64_t pixels = (uint64_t)page->width * page->height;
    if (pixels > file->limit / 4)
        return ip_tiff_fail(NULL, text, IPOS_ERR_NO_MEMORY, "needs more than the memory limit");
    uint32_t *raster = calloc((size_t)pixels, 4);
    if (!raster)
        return ip_tiff_fail(NULL, text, IPOS_ERR_NO_MEMORY, "out of memory");
    uint16_t orientation = ORIENTATION_TOPLEFT; /* asking for the file's own leaves the rows as they are stored */
    TIFFGetFieldDefaulted(file->tif, TIFFTAG_ORIENTATION, &orientation);
    if (!TIFFReadRGBAImageOriented(file->tif, page->width, page->height, raster, orientation, 1)) {
        free(raster);
        return ip_tiff_fail(file, text, IPOS_ERR_FORMAT, "damaged pixels");
    }
    for (uint32_t y = 0; y < page->height; y++) {
        const uint32_t *row = raster + (size_t)y * page->width;
        for (uint32_t x = 0; x < page->width; x++)
            for (uint32_t c = 0; c < page->channels; c++)
                *place(&planes[c], x, y) = (uint8_t)(row[x] >> (8 * c));
    }
    free(raster);
    return IPOS_OK;
}

ipos_status ip_tiff_read(void *handle, const ipos_plane *planes, ip_tiff_stop_fn stop, void *user, char *text) {
    ip_tiff_file *file = handle;
    file->said[0] = 0;
    if (file->way == IP_TIFF_RGBA)
        return read_rgba(file, planes, text);
    bool tiled = file->page.tile_width != 0;
    /* What libtiff will hand out must be as wide as the samples we are going to take from it. */
    uint64_t sizes = file->page.planar ? 1 : file->samples, width = tiled ? file->page.tile_width : file->page.width;
    uint64_t need = (width * sizes * file->bits + 7) / 8;
    tmsize_t row = tiled ? TIFFTileRowSize(file->tif) : TIFFScanlineSize(file->tif);
    if (row <= 0 || (uint64_t)row < need)
        return ip_tiff_fail(file, text, IPOS_ERR_FORMAT, "rows shorter than their pixels");
    uint8_t *buffer = make_buffer(file, tiled ? TIFFTileSize(file->tif) : TIFFStripSize(file->tif), text);
    if (!buffer)
        return strstr(text, "memory") ? IPOS_ERR_NO_MEMORY : IPOS_ERR_FORMAT;
    ipos_status status = IPOS_OK;
    int32_t from = file->page.planar && file->samples > 1 ? 0 : -1, to = from < 0 ? 0 : (int32_t)file->samples;
    for (int32_t plane = from; plane < to && status == IPOS_OK; plane++)
        status = tiled ? read_tiles(file, planes, plane, buffer, stop, user, text)
                       : read_strips(file, planes, plane, buffer, stop, user, text);
    free(buffer);
    return status;
}

