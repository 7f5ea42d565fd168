/* What a page's tags mean for its pixels. */
#include "tiff_file.h"

typedef struct layout {
    uint16_t bits, samples, format, photometric, planar, compression, extra_count;
    uint16_t *extras;
    bool has_photometric;
} layout;

static layout read_layout(TIFF *tif) {
    layout l = {0};
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &l.bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &l.samples);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &l.format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &l.planar);
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &l.compression);
    if (!TIFFGetFieldDefaulted(tif, TIFFTAG_EXTRASAMPLES, &l.extra_count, &l.extras))
        l.extra_count = 0;
    l.has_photometric = TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &l.photometric) == 1;
    if (!l.has_photometric)
        l.photometric = l.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    return l;
}

static ipos_status unsupported(char *text, const char *what, unsigned value) {
    snprintf(text, IP_TIFF_TEXT, "%s %u is not supported", what, value);
    return IPOS_ERR_UNSUPPORTED;
}

static int32_t type_of(const layout *l) {
    if (l->format == SAMPLEFORMAT_IEEEFP)
        return l->bits == 16 ? IPOS_F16 : l->bits == 32 ? IPOS_F32 : 0;
    if (l->format != SAMPLEFORMAT_UINT && l->format != SAMPLEFORMAT_VOID)
        return 0;
    if (l->bits == 32)
        return IPOS_U32;
    return l->bits == 0 || l->bits > 24 ? 0 : l->bits <= 8 ? IPOS_U8 : l->bits <= 16 ? IPOS_U16 : IPOS_F32;
}

static void name_channels(ip_tiff_page *page, const layout *l, uint32_t colors) {
    static const char *const rgb[] = {"R", "G", "B"};
    uint32_t extra = 0;
    bool alpha = false;
    for (uint32_t i = 0; i < page->channels; i++) {
        if (i < colors) {
            snprintf(page->names[i], sizeof page->names[i], "%s", colors == 1 ? "Y" : rgb[i]);
            continue;
        }
        /* Files of four samples that do not say what the fourth is mean alpha. */
        uint32_t at = i - colors;
        uint16_t kind = at < l->extra_count                       ? l->extras[at]
                        : at == 0 && page->channels == colors + 1 ? EXTRASAMPLE_ASSOCALPHA
                                                                  : EXTRASAMPLE_UNSPECIFIED;
        if (!alpha && kind != EXTRASAMPLE_UNSPECIFIED) {
            alpha = true;
            page->alpha_associated = kind == EXTRASAMPLE_ASSOCALPHA;
            snprintf(page->names[i], sizeof page->names[i], "A");
        } else {
            snprintf(page->names[i], sizeof page->names[i], "extra%u", extra++);
        }
    }
}

static ipos_status samples_way(ip_tiff_file *file, const layout *l, uint32_t colors, char *text) {
    ip_tiff_page *page = &file->page;
    page->sample_type = type_of(l);
    if (!page->sample_type) {
        static const char *const kinds[] = {"?", "unsigned", "signed", "float", "untyped", "complex integer", "complex"};
        snprintf(text, IP_TIFF_TEXT, "%u-bit %s samples are not supported", l->bits, kinds[l->format <= 6 ? l->format : 0]);
        return IPOS_ERR_UNSUPPORTED;
    }
    if (l->samples < colors) {
        snprintf(text, IP_TIFF_TEXT, "%u samples a pixel where the colour space has %u", l->samples, colors);
        return IPOS_ERR_FORMAT;
    }
    if (l->samples > IP_TIFF_CHANNELS)
        return unsupported(text, "samples a pixel", l->samples);
    page->channels = l->samples;
    file->invert = l->photometric == PHOTOMETRIC_MINISWHITE && l->format != SAMPLEFORMAT_IEEEFP;
    name_channels(page, l, colors);
    return IPOS_OK;
}

static ipos_status palette_way(ip_tiff_file *file, const layout *l, char *text) {
    if (l->samples != 1 || l->bits > 16 || l->format == SAMPLEFORMAT_IEEEFP)
        return unsupported(text, "a palette of samples, bits", l->bits);
    uint16_t *r, *g, *b;
    if (!TIFFGetField(file->tif, TIFFTAG_COLORMAP, &r, &g, &b)) {
        snprintf(text, IP_TIFF_TEXT, "the palette is missing");
        return IPOS_ERR_FORMAT;
    }
    file->way = IP_TIFF_PALETTE;
    file->page.sample_type = IPOS_U8;
    file->page.channels = 3;
    name_channels(&file->page, l, 3);
    return IPOS_OK;
}

static ipos_status rgba_way(ip_tiff_file *file, const layout *l, char *text) {
    char why[1024] = "";
    TIFFRGBAImage converter;
    bool able = TIFFRGBAImageOK(file->tif, why) && TIFFRGBAImageBegin(&converter, file->tif, 1, why);
    if (able)
        TIFFRGBAImageEnd(&converter);
    if (!able) {
        snprintf(text, IP_TIFF_TEXT, "colour space %u is not supported here: %.200s", l->photometric, why);
        return IPOS_ERR_UNSUPPORTED;
    }
    file->way = IP_TIFF_RGBA;
    file->page.sample_type = IPOS_U8;
    file->page.channels = l->extra_count ? 4 : 3;
    name_channels(&file->page, l, 3);
    file->page.alpha_associated = true; /* as libtiff converts it */
    return IPOS_OK;
}

static ipos_status cmyk_way(ip_tiff_file *file, const layout *l) {
    file->way = IP_TIFF_CMYK;
    file->page.sample_type = IPOS_U16;
    file->page.channels = 3;
    name_channels(&file->page, l, 3);
    return IPOS_OK;
}

static ipos_status log_way(ip_tiff_file *file, layout *l, char *text) {
    bool color = l->photometric == PHOTOMETRIC_LOGLUV;
    if (l->planar != PLANARCONFIG_CONTIG || (l->compression != COMPRESSION_SGILOG && l->compression != COMPRESSION_SGILOG24) ||
        !TIFFSetField(file->tif, TIFFTAG_SGILOGDATAFMT, SGILOGDATAFMT_FLOAT) || l->samples != (color ? 3 : 1))
        return unsupported(text, "LogLuv of compression", l->compression);
    file->way = color ? IP_TIFF_LOGLUV : IP_TIFF_SAMPLES;
    l->bits = 32;
    file->page.sample_type = IPOS_F32;
    file->page.channels = l->samples;
    file->page.linear = true;
    name_channels(&file->page, l, l->samples);
    return IPOS_OK;
}

static ipos_status choose_way(ip_tiff_file *file, layout *l, char *text) {
    file->way = IP_TIFF_SAMPLES;
    file->invert = false;
    if (!TIFFIsCODECConfigured(l->compression))
        return unsupported(text, "compression", l->compression);
    if (l->compression == COMPRESSION_OJPEG)
        return rgba_way(file, l, text);
    switch (l->photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MASK:
        return samples_way(file, l, 1, text);
    case PHOTOMETRIC_RGB:
        return samples_way(file, l, 3, text);
    case PHOTOMETRIC_PALETTE:
        return palette_way(file, l, text);
    case PHOTOMETRIC_YCBCR:
        if (l->compression == COMPRESSION_JPEG && l->planar == PLANARCONFIG_CONTIG && l->samples == 3 &&
            TIFFSetField(file->tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB))
            return samples_way(file, l, 3, text);
        return rgba_way(file, l, text);
    case PHOTOMETRIC_SEPARATED:
        return l->bits == 16 && l->samples == 4 && l->format == SAMPLEFORMAT_UINT ? cmyk_way(file, l) : rgba_way(file, l, text);
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
    case PHOTOMETRIC_ITULAB:
        return rgba_way(file, l, text);
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV:
        return log_way(file, l, text);
    default:
        return unsupported(text, "colour space", l->photometric);
    }
}

/* Most bytes one stored byte can become. Fax, LZMA, ZSTD and WebP have no bound worth having. */
static uint64_t expansion(uint16_t compression) {
    switch (compression) {
    case COMPRESSION_NONE: return 1;
    case COMPRESSION_PACKBITS: return 64;
    case COMPRESSION_LZW: return 2731;      /* 4096 bytes a 12-bit code */
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE: return 1033;
    case COMPRESSION_JPEG: return 4096;
    default: return 0;
    }
}

static void bound_pixels(ip_tiff_file *file, const layout *l) {
    ip_tiff_page *page = &file->page;
    uint64_t ratio = expansion(l->compression), stored = file->stream.size(file->stream.user);
    static const uint8_t bytes[] = {0, 1, 2, 2, 4, 4};
    page->pixel_bytes = (uint64_t)page->width * page->height;
    if (__builtin_mul_overflow(page->pixel_bytes, (uint64_t)page->channels * bytes[page->sample_type], &page->pixel_bytes))
        page->pixel_bytes = UINT64_MAX;
    page->stored_limit = UINT64_MAX;
    /* Our samples may be wider than the stored ones: at most 24 times (a 1-bit palette). */
    if (ratio && stored < UINT64_MAX / (ratio * 24) - 65536)
        page->stored_limit = (stored + 65536) * ratio * (l->bits < 8 || file->way != IP_TIFF_SAMPLES ? 24 : 2);
}

ipos_status ip_tiff_describe(ip_tiff_file *file, char *text) {
    ip_tiff_page *page = &file->page;
    memset(page, 0, sizeof *page);
    layout l = read_layout(file->tif);
    if (!TIFFGetField(file->tif, TIFFTAG_IMAGEWIDTH, &page->width) ||
        !TIFFGetField(file->tif, TIFFTAG_IMAGELENGTH, &page->height) || !page->width || !page->height ||
        page->width > INT32_MAX || page->height > INT32_MAX) {
        snprintf(text, IP_TIFF_TEXT, "a picture of %u x %u pixels", page->width, page->height);
        return IPOS_ERR_FORMAT;
    }
    uint32_t depth = 1;
    TIFFGetFieldDefaulted(file->tif, TIFFTAG_IMAGEDEPTH, &depth);
    if (depth != 1)
        return unsupported(text, "image depth", depth);
    ipos_status status = choose_way(file, &l, text);
    if (status != IPOS_OK)
        return status;
    file->bits = l.bits;
    file->samples = l.samples;
    page->planar = l.planar == PLANARCONFIG_SEPARATE;
    page->compression = l.compression;
    if (TIFFIsTiled(file->tif) && (!TIFFGetField(file->tif, TIFFTAG_TILEWIDTH, &page->tile_width) ||
        !TIFFGetField(file->tif, TIFFTAG_TILELENGTH, &page->tile_height) || !page->tile_width || !page->tile_height)) {
        snprintf(text, IP_TIFF_TEXT, "tiles of %u x %u pixels", page->tile_width, page->tile_height);
        return IPOS_ERR_FORMAT;
    }
    bound_pixels(file, &l);
    return IPOS_OK;
}
