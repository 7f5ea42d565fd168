/* What one image file format offers, and the byte streams it works on. One table entry a format. */
#ifndef IP_FORMAT_H
#define IP_FORMAT_H

#include "io.h"

/* Bounded random access to a file or to memory. Reading does not move any position, so threads may share one. */
typedef struct ip_input {
    char *name;           /* for error texts: the path, or "(memory)" */
    uint64_t size;
    const uint8_t *bytes; /* memory; NULL: a file */
    int fd;               /* -1: memory */
} ip_input;
ipos_status ip_input_open(const char *path, ip_input *input); /* refuses what is not a regular file */
ipos_status ip_input_memory(const void *bytes, size_t size, ip_input *input); /* bytes must stay */
void ip_input_close(ip_input *input);
/* Bytes read at offset, fewer than n only at the end; -1 (error text set) on an I/O failure. */
int64_t ip_input_read(const ip_input *input, uint64_t offset, void *out, size_t n);

/* Random-access output: memory, or a temporary beside the path that takes its place when finished. */
typedef struct ip_output {
    char *name; /* for error texts */
    char *path, *temporary; /* NULL: memory */
    int fd;
    uint8_t *data;
    size_t room;
    uint64_t size; /* bytes so far: the furthest written */
} ip_output;
ipos_status ip_output_open(const char *path, ip_output *output); /* path NULL: memory */
ipos_status ip_output_write(ip_output *output, uint64_t offset, const void *bytes, size_t n); /* a gap reads as zeros */
int64_t ip_output_read(const ip_output *output, uint64_t offset, void *out, size_t n);
/* Puts the file in its place, or hands over the memory (ip_free). Closes the output either way. */
ipos_status ip_output_finish(ip_output *output, void **bytes, size_t *size);
void ip_output_discard(ip_output *output); /* removes the temporary; fine after finish */

/* What a part holds, without its pixels. */
typedef struct ip_image_header {
    ipos_box data_window, display_window;
    ipos_channel *channels; /* names are the header's own */
    size_t channel_count;
    ip_attribute *attributes;
    size_t attribute_count;
    char encoding[32]; /* "" unless the file says */
    int parts;         /* parts or pages of the whole file */
} ip_image_header;
ipos_status ip_header_add_channel(ip_image_header *header, const char *name, int32_t sample_type, int32_t xs, int32_t ys);
/* Replaces an attribute of that name. */
ipos_status ip_header_set_attribute(ip_image_header *header, const char *name, const char *type, const void *bytes, size_t size);
const ip_attribute *ip_header_attribute(const ip_image_header *header, const char *name); /* NULL: none */
void ip_header_free(ip_image_header *header);
/* Bytes the pixels take, rows padded to 64; UINT64_MAX when that does not fit. */
uint64_t ip_header_bytes(const ip_image_header *header);
/* A zeroed frame with the header's windows, channels, attributes and encoding, in env's memory; refused over its memory_limit. */
ipos_status ip_header_frame(const ip_io_env *env, const ip_image_header *header, const char *name, ipos_frame **out);
/* env may be NULL. */
uint64_t ip_io_memory_limit(const ip_io_env *env);
const ip_cancel *ip_io_cancel(const ip_io_env *env);

typedef struct ip_image_format {
    const char *name;       /* "png" */
    const char *extensions; /* "png", comma-separated, lower case, no dots */
    bool (*probe)(const uint8_t *head, size_t n); /* the first n (at most 64) bytes */
    ipos_status (*info)(const ip_io_env *env, const ip_input *in, int part,
        ip_image_header *out); /* out is zeroed; on failure the caller frees it */
    ipos_status (*read)(const ip_io_env *env, const ip_input *in, int part, ipos_frame **out);
    ipos_status (*write)(
        ipos_frame *const *frames, size_t count, const ipos_write_config *config, ip_output *out); /* config is never NULL */
} ip_image_format;

extern const ip_image_format ip_format_png;  /* png.c */
extern const ip_image_format ip_format_tiff; /* tiff.c */
extern const ip_image_format ip_format_exr;  /* exr.c */

/* image.c: header of a file of any format; on failure *header is empty. */
ipos_status ip_image_info(const ip_io_env *env, const char *path, int part, const char **format_name, ip_image_header *header);

const ip_image_format *ip_format_of_bytes(const uint8_t *head, size_t n); /* NULL: unknown */
const ip_image_format *ip_format_of_name(const char *name);               /* "png", "tiff", "exr"; NULL: unknown */
const ip_image_format *ip_format_of_path(const char *path);               /* by extension */

#endif
