/* Writing pages. */
#include "tiff_file.h"

enum { STRIP_BYTES = 512 << 10 };

static uint32_t sample_bytes(int32_t type) {
    return type == IPOS_U8 ? 1 : type == IPOS_U16 || type == IPOS_F16 ? 2 : 4;
}

static bool is_float(int32_t type) {
    return type == IPOS_F16 || type == IPOS_F32;
}

static bool set_extras(ip_tiff_file *file, const ip_tiff_page *page, uint32_t colors) {
    uint16_t kinds[IP_TIFF_CHANNELS];
    for (uint32_t i = colors; i < page->channels; i++) {
        bool alpha = strcmp(page->names[i], "A") == 0;
        kinds[i - colors] = !alpha                   ? EXTRASAMPLE_UNSPECIFIED
                            : page->alpha_associated ? EXTRASAMPLE_ASSOCALPHA
                                                     : EXTRASAMPLE_UNASSALPHA;
    }
    return page->channels == colors || TIFFSetField(file->tif, TIFFTAG_EXTRASAMPLES, (int)(page->channels - colors), kinds) == 1;
}

static bool set_layout(ip_tiff_file *file, const ip_tiff_page *page) {
    TIFF *tif = file->tif;
    uint32_t colors = strcmp(page->names[0], "Y") == 0 ? 1 : 3, bytes = sample_bytes(page->sample_type);
    bool good = TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, page->width) && TIFFSetField(tif, TIFFTAG_IMAGELENGTH, page->height) &&
                TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, (int)(8 * bytes)) &&
                TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, (int)page->channels) &&
                TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT, is_float(page->sample_type) ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT) &&
                TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, colors == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB) &&
                TIFFSetField(tif, TIFFTAG_PLANARCONFIG, page->planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG) &&
                TIFFSetField(tif, TIFFTAG_COMPRESSION, (int)page->compression) && set_extras(file, page, colors);
    bool predicted = page->compression == COMPRESSION_LZW || page->compression == COMPRESSION_ADOBE_DEFLATE;
    if (good && predicted)
        good = TIFFSetField(
                   tif, TIFFTAG_PREDICTOR, is_float(page->sample_type) ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL) == 1;
    if (good && page->tile_width)
        return TIFFSetField(tif, TIFFTAG_TILEWIDTH, page->tile_width) && TIFFSetField(tif, TIFFTAG_TILELENGTH, page->tile_height);
    uint64_t row = (uint64_t)page->width * bytes * (page->planar ? 1 : page->channels);
    uint32_t rows = row >= STRIP_BYTES ? 1 : (uint32_t)(STRIP_BYTES / row);
    return good && TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, rows < page->height ? rows : page->height);
}

/* Pixels x.. of row y, n of them, interleaved or of one plane, into to. */
static void gather(
    const ip_tiff_page *page, const ipos_plane *planes, int32_t plane, uint32_t x, uint32_t y, uint32_t n, uint8_t *to) {
    uint32_t bytes = sample_bytes(page->sample_type), first = plane < 0 ? 0 : (uint32_t)plane,
             last = plane < 0 ? page->channels : first + 1;
    for (uint32_t c = first; c < last; c++) {
        const uint8_t *from =
            (const uint8_t *)planes[c].data + (ptrdiff_t)y * planes[c].row_stride + (ptrdiff_t)x * planes[c].pixel_stride;
        uint8_t *at = to + (c - first) * bytes;
        for (uint32_t i = 0; i < n; i++, at += bytes * (last - first), from += planes[c].pixel_stride)
            memcpy(at, from, bytes);
    }
}

static bool put_strips(ip_tiff_file *file, const ip_tiff_page *page, const ipos_plane *planes, int32_t plane, uint8_t *buffer) {
    uint32_t rows = page->height;
    TIFFGetField(file->tif, TIFFTAG_ROWSPERSTRIP, &rows);
    tmsize_t row = TIFFScanlineSize(file->tif);
    for (uint64_t y = 0; y < page->height; y += rows) {
        uint32_t here = (uint32_t)(page->height - y < rows ? page->height - y : rows);
        for (uint32_t r = 0; r < here; r++)
            gather(page, planes, plane, 0, (uint32_t)y + r, page->width, buffer + (size_t)r * (size_t)row);
        uint32_t strip = TIFFComputeStrip(file->tif, (uint32_t)y, (uint16_t)(plane > 0 ? plane : 0));
        if (TIFFWriteEncodedStrip(file->tif, strip, buffer, row * (tmsize_t)here) < 0)
            return false;
    }
    return true;
}

static bool put_tiles(ip_tiff_file *file, const ip_tiff_page *page, const ipos_plane *planes, int32_t plane, uint8_t *buffer) {
    tmsize_t row = TIFFTileRowSize(file->tif), size = TIFFTileSize(file->tif);
    for (uint64_t y = 0; y < page->height; y += page->tile_height) {
        for (uint64_t x = 0; x < page->width; x += page->tile_width) {
            uint32_t columns = (uint32_t)(page->width - x < page->tile_width ? page->width - x : page->tile_width);
            uint32_t rows = (uint32_t)(page->height - y < page->tile_height ? page->height - y : page->tile_height);
            memset(buffer, 0, (size_t)size);
            for (uint32_t r = 0; r < rows; r++)
                gather(page, planes, plane, (uint32_t)x, (uint32_t)y + r, columns, buffer + (size_t)r * (size_t)row);
            uint32_t tile = TIFFComputeTile(file->tif, (uint32_t)x, (uint32_t)y, 0, (uint16_t)(plane > 0 ? plane : 0));
            if (TIFFWriteEncodedTile(file->tif, tile, buffer, size) < 0)
                return false;
        }
    }
    return true;
}

ipos_status ip_tiff_add(void *handle, const ip_tiff_page *page, const ipos_plane *planes, const ip_tiff_tag *tags,
    size_t tag_count, uint32_t number, char *text) {
    ip_tiff_file *file = handle;
    file->said[0] = 0;
    if (!set_layout(file, page) || (number > 0 && !TIFFSetField(file->tif, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE)))
        return ip_tiff_fail(file, text, IPOS_ERR_UNSUPPORTED, "libtiff refuses the layout");
    ipos_status status = ip_tiff_put_tags(file, tags, tag_count, text);
    if (status != IPOS_OK)
        return status;
    tmsize_t size = page->tile_width ? TIFFTileSize(file->tif) : TIFFStripSize(file->tif);
    uint8_t *buffer = size > 0 ? malloc((size_t)size) : NULL;
    if (!buffer)
        return ip_tiff_fail(file, text, IPOS_ERR_NO_MEMORY, "out of memory");
    bool good = true;
    int32_t from = page->planar ? 0 : -1, to = page->planar ? (int32_t)page->channels : 0;
    for (int32_t plane = from; plane < to && good; plane++)
        good = page->tile_width ? put_tiles(file, page, planes, plane, buffer) : put_strips(file, page, planes, plane, buffer);
    free(buffer);
    if (!good || !TIFFWriteDirectory(file->tif))
        return ip_tiff_fail(file, text, IPOS_ERR_IO, "cannot be written");
    return IPOS_OK;
}
