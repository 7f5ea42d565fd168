/* Chunks in and out of OpenEXRCore. The library never sees the file: it is given a header made here, of checked values only,
 * with the window moved to 0,0; its decoding and encoding pipelines then serve for their (de)compression step alone. 3.1.5's own
 * reading of headers, chunk tables and subsampled sizes has faults that damaged files reach; this way they cannot. */
#include "exr.h"

#include <openexr.h>

/* The decompressors may read a little past a damaged chunk before they notice. */
enum { SLACK = 4096 };

struct ip_exr_codec {
    const ip_exr_part *part;
    const char *name;
    exr_context_t context;
    ip_buffer header;
    exr_decode_pipeline_t decode;
    exr_encode_pipeline_t encode;
    bool writing, started;
    uint8_t *packed, *unpacked;
    size_t packed_room, unpacked_room;
    char text[256];
};

static void keep_text(exr_const_context_t context, exr_result_t code, const char *message) {
    void *user = NULL;
    (void)code;
    if (context && exr_get_user_data(context, &user) == EXR_ERR_SUCCESS && user)
        snprintf(((ip_exr_codec *)user)->text, sizeof((ip_exr_codec *)user)->text, "%s", message);
}

/* While writing, the library holds its lock when it reports, and asking it for the user data would wait for ever. */
static void drop_text(exr_const_context_t context, exr_result_t code, const char *message) {
    (void)context, (void)code, (void)message;
}

static int64_t read_header(exr_const_context_t context, void *user, void *buffer, uint64_t size, uint64_t offset,
    exr_stream_error_func_ptr_t error) {
    const ip_exr_codec *codec = user;
    (void)context, (void)error;
    if (offset >= codec->header.size)
        return 0;
    size = IP_MIN(size, codec->header.size - offset);
    memcpy(buffer, codec->header.data + offset, size);
    return (int64_t)size;
}

static int64_t write_nothing(exr_const_context_t context, void *user, const void *buffer, uint64_t size, uint64_t offset,
    exr_stream_error_func_ptr_t error) {
    (void)context, (void)user, (void)buffer, (void)offset, (void)error;
    return (int64_t)size;
}

static ipos_status refused(ip_exr_codec *codec, exr_result_t result, const char *what) {
    ipos_status status = result == EXR_ERR_OUT_OF_MEMORY && codec->writing ? IPOS_ERR_NO_MEMORY : IPOS_ERR_FORMAT;
    return ip_fail(status, "%s: OpenEXR cannot %s: %s", codec->name, what,
        codec->text[0] ? codec->text : exr_get_default_error_message(result));
}

static exr_result_t open_reading(ip_exr_codec *codec, const exr_context_initializer_t *setup) {
    ip_exr_put_bare_header(&codec->header, codec->part);
    if (codec->header.failed)
        return EXR_ERR_OUT_OF_MEMORY;
    return exr_start_read(&codec->context, "image", setup);
}

static exr_result_t open_writing(ip_exr_codec *codec, const exr_context_initializer_t *setup) {
    const ip_exr_part *part = codec->part;
    const exr_attr_v2f_t center = {.arr = {0, 0}};
    exr_attr_box2i_t box;
    box.min.x = box.min.y = 0;
    box.max.x = part->data.width - 1;
    box.max.y = part->data.height - 1;
    int index = 0;
    exr_result_t result = exr_start_write(&codec->context, "image", EXR_WRITE_FILE_DIRECTLY, setup);
    if (result == EXR_ERR_SUCCESS)
        result = exr_add_part(codec->context, "image", part->tiled ? EXR_STORAGE_TILED : EXR_STORAGE_SCANLINE, &index);
    if (result == EXR_ERR_SUCCESS)
        result = exr_initialize_required_attr(codec->context, index, &box, &box, 1, &center, 1, EXR_LINEORDER_INCREASING_Y,
            (exr_compression_t)part->compression);
    if (result == EXR_ERR_SUCCESS && part->tiled)
        result = exr_set_tile_descriptor(codec->context, index, part->tile_width, part->tile_height, EXR_TILE_ONE_LEVEL, EXR_TILE_ROUND_DOWN);
    if (result == EXR_ERR_SUCCESS)
        result = exr_set_longname_support(codec->context, 1);
    for (size_t i = 0; result == EXR_ERR_SUCCESS && i < part->channel_count; i++) {
        const ip_exr_channel *c = &part->channels[i];
        result = exr_add_channel(codec->context, index, c->name, (exr_pixel_type_t)c->type, (exr_perceptual_treatment_t)(c->linear != 0), c->xs, c->ys);
    }
    return result == EXR_ERR_SUCCESS ? exr_write_header(codec->context) : result;
}

ipos_status ip_exr_codec_open(const ip_exr_part *part, const char *name, bool writing, ip_exr_codec **out) {
    *out = NULL;
    /* PIZ, PXR24 and B44 take a subsampled channel's lines of a chunk to be its height over ys. */
    const int lines = part->tiled ? 1 : ip_exr_lines_per_chunk(part->compression);
    for (size_t i = 0; i < part->channel_count && part->compression >= IP_EXR_PIZ; i++)
        if (lines % part->channels[i].ys)
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: channel \"%s\" sampled every %d lines cannot be in %s compression here", name,
                part->channels[i].name, part->channels[i].ys, ip_exr_compression_name(part->compression));
    ip_exr_codec *codec = ip_calloc(1, sizeof *codec);
    if (!codec)
        return IPOS_ERR_NO_MEMORY;
    codec->part = part;
    codec->name = name;
    codec->writing = writing;
    exr_result_t result = EXR_ERR_SUCCESS;
    if (part->compression != IP_EXR_NONE) {
        exr_context_initializer_t setup = EXR_DEFAULT_CONTEXT_INITIALIZER;
        setup.error_handler_fn = writing ? drop_text : keep_text;
        setup.user_data = codec;
        setup.zip_level = 2; /* OpenEXR's C++ library has 4: half as long again, twice as long on smooth maps, for 2 % fewer bytes of grainy pictures */
        setup.read_fn = read_header;
        setup.write_fn = write_nothing;
        result = writing ? open_writing(codec, &setup) : open_reading(codec, &setup);
    }
    if (result != EXR_ERR_SUCCESS) {
        ipos_status status = refused(codec, result, "handle this header");
        ip_exr_codec_close(codec);
        return status;
    }
    *out = codec;
    return IPOS_OK;
}

void ip_exr_codec_close(ip_exr_codec *codec) {
    if (!codec)
        return;
    /* The packed and unpacked buffers are ours; the pipelines must not free them. */
    codec->decode.packed_buffer = codec->decode.unpacked_buffer = NULL;
    codec->encode.packed_buffer = codec->encode.compressed_buffer = NULL;
    codec->encode.packed_alloc_size = codec->encode.compressed_alloc_size = 0;
    if (codec->started && codec->writing)
        exr_encoding_destroy(codec->context, &codec->encode);
    if (codec->started && !codec->writing)
        exr_decoding_destroy(codec->context, &codec->decode);
    if (codec->context)
        exr_finish(&codec->context);
    ip_buffer_free(&codec->header);
    ip_free(codec->packed);
    ip_free(codec->unpacked);
    ip_free(codec);
}

static bool room_for(uint8_t **buffer, size_t *room, uint64_t need) {
    if (need <= *room)
        return true;
    ip_free(*buffer);
    *room = 0;
    *buffer = ip_calloc((size_t)need + SLACK, 1);
    if (*buffer)
        *room = (size_t)need;
    return *buffer != NULL;
}

static exr_chunk_info_t describe(const ip_exr_codec *codec, const ip_exr_chunk *chunk) {
    exr_chunk_info_t info = {0};
    info.start_x = codec->part->tiled ? chunk->tile_x : chunk->x;
    info.start_y = codec->part->tiled ? chunk->tile_y : chunk->y;
    info.width = chunk->width;
    info.height = chunk->height;
    info.type = codec->part->tiled ? EXR_STORAGE_TILED : EXR_STORAGE_SCANLINE;
    info.compression = (uint8_t)codec->part->compression;
    info.packed_size = chunk->packed;
    info.unpacked_size = chunk->unpacked;
    return info;
}

static ipos_status unpack(ip_exr_codec *codec, const ip_exr_chunk *chunk) {
    const exr_chunk_info_t info = describe(codec, chunk);
    codec->text[0] = 0;
    exr_result_t result = codec->started ? exr_decoding_update(codec->context, 0, &info, &codec->decode)
                                         : exr_decoding_initialize(codec->context, 0, &info, &codec->decode);
    if (result == EXR_ERR_SUCCESS && !codec->started) {
        codec->started = true;
        result = exr_decoding_choose_default_routines(codec->context, 0, &codec->decode);
    }
    if (result != EXR_ERR_SUCCESS)
        return refused(codec, result, "decode this part");
    codec->decode.packed_buffer = codec->packed;
    codec->decode.packed_alloc_size = codec->packed_room;
    codec->decode.unpacked_buffer = codec->unpacked;
    codec->decode.unpacked_alloc_size = codec->unpacked_room;
    result = codec->decode.decompress_fn(&codec->decode);
    codec->decode.packed_buffer = codec->decode.unpacked_buffer = NULL;
    codec->decode.packed_alloc_size = codec->decode.unpacked_alloc_size = 0;
    return result == EXR_ERR_SUCCESS ? IPOS_OK : refused(codec, result, "decompress a chunk");
}

ipos_status ip_exr_unpack(ip_exr_codec *codec, const ip_exr_chunk *chunk, const ip_input *in, const uint8_t **bytes) {
    if (!room_for(&codec->packed, &codec->packed_room, chunk->packed) || !room_for(&codec->unpacked, &codec->unpacked_room, chunk->unpacked))
        return IPOS_ERR_NO_MEMORY;
    int64_t got = ip_input_read(in, chunk->offset, codec->packed, (size_t)chunk->packed);
    if (got < 0)
        return IPOS_ERR_IO;
    if ((uint64_t)got != chunk->packed)
        return ip_fail(IPOS_ERR_FORMAT, "%s: the file ends within a chunk", codec->name);
    /* What did not get smaller is stored as it is, in every compression. */
    *bytes = chunk->packed == chunk->unpacked ? codec->packed : codec->unpacked;
    if (chunk->packed == chunk->unpacked || chunk->unpacked == 0)
        return IPOS_OK;
    return unpack(codec, chunk);
}

uint8_t *ip_exr_pack_buffer(ip_exr_codec *codec, const ip_exr_chunk *chunk) {
    /* Twice and more: the library's own 10 % are too little for PIZ's tables on small chunks. */
    return room_for(&codec->unpacked, &codec->unpacked_room, chunk->unpacked) &&
            room_for(&codec->packed, &codec->packed_room, chunk->unpacked * 2 + 262144) ? codec->unpacked : NULL;
}

ipos_status ip_exr_pack(ip_exr_codec *codec, const ip_exr_chunk *chunk, const uint8_t **bytes, size_t *size) {
    *bytes = codec->unpacked;
    *size = (size_t)chunk->unpacked;
    if (codec->part->compression == IP_EXR_NONE || chunk->unpacked == 0)
        return IPOS_OK;
    const exr_chunk_info_t info = describe(codec, chunk);
    exr_result_t result = codec->started ? exr_encoding_update(codec->context, 0, &info, &codec->encode)
                                         : exr_encoding_initialize(codec->context, 0, &info, &codec->encode);
    if (result == EXR_ERR_SUCCESS && !codec->started) {
        codec->started = true;
        result = exr_encoding_choose_default_routines(codec->context, 0, &codec->encode);
    }
    if (result != EXR_ERR_SUCCESS)
        return refused(codec, result, "encode this part");
    codec->encode.packed_buffer = codec->unpacked;
    codec->encode.packed_alloc_size = codec->unpacked_room;
    codec->encode.packed_bytes = chunk->unpacked;
    codec->encode.compressed_buffer = codec->packed;
    codec->encode.compressed_alloc_size = codec->packed_room;
    codec->encode.compressed_bytes = 0;
    result = codec->encode.compress_fn(&codec->encode);
    const size_t made = codec->encode.compressed_bytes;
    codec->encode.packed_buffer = codec->encode.compressed_buffer = NULL;
    codec->encode.packed_alloc_size = codec->encode.compressed_alloc_size = 0;
    if (result != EXR_ERR_SUCCESS)
        return refused(codec, result, "compress a chunk");
    if (made < chunk->unpacked) {
        *bytes = codec->packed;
        *size = made;
    }
    return IPOS_OK;
}
