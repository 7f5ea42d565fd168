/* Errors, memory, text, cancel, hashing, threads: what every room may use. */
#ifndef IP_CORE_H
#define IP_CORE_H

#include <interpos/base.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define IP_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define IP_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define IP_MIN(a, b) ((a) < (b) ? (a) : (b))
#define IP_MAX(a, b) ((a) > (b) ? (a) : (b))
/* Returns the status from the enclosing function unless it is IPOS_OK. */
#define IP_TRY(call)                          \
    do {                                      \
        ipos_status ip_try_status_ = (call);  \
        if (ip_try_status_ != IPOS_OK)        \
            return ip_try_status_;            \
    } while (0)

/* error.c: the calling thread's error text. ip_fail sets it and returns status, so: return ip_fail(IPOS_ERR_IO, "..."). */
ipos_status ip_fail(ipos_status status, const char *format, ...) IP_PRINTF(2, 3);
/* Puts "context: " before the text already set; returns status. */
ipos_status ip_fail_in(ipos_status status, const char *format, ...) IP_PRINTF(2, 3);
/* For a failed system call: adds ": " and the system's reason; NOT_FOUND, NO_MEMORY, CONFLICT or IO by the errno given. */
ipos_status ip_fail_errno(int number, const char *format, ...) IP_PRINTF(2, 3);
ipos_status ip_no_memory(size_t bytes);
/* The public ipos_last_error and ipos_status_name are in error.c too, ipos_free in memory.c. */

/* memory.c: never abort; NULL on failure with the error text set. */
void *ip_alloc(size_t bytes);
void *ip_calloc(size_t count, size_t bytes); /* zeroed, overflow checked */
void *ip_realloc(void *block, size_t bytes);
void *ip_aligned_alloc(size_t alignment, size_t bytes); /* ip_free() frees it too */
char *ip_strdup(const char *text);
char *ip_format(const char *format, ...) IP_PRINTF(1, 2);
void ip_free(void *block);

/* text.c: numbers without the host's locale. */
bool ip_parse_int(const char *text, int64_t *out);     /* the whole text, base 10 */
bool ip_parse_real(const char *text, double *out);     /* the whole text, '.' as the point, finite */
bool ip_parse_rational(const char *text, ipos_rational *out); /* "24", "23.976" (-> 24000/1001), "24000/1001", "21/2", "10.5" */
ipos_rational ip_reduce(ipos_rational value);
void ip_real_text(double value, char out[32]);         /* shortest text that reads back the same, '.' as the point */
bool ip_utf8_ok(const char *text);
bool ip_name_ok(const char *name);                     /* 1..100 of letters, digits, '.', '_', '-', not starting with '.' or '-' */
bool ip_in_list(const char *comma_list, const char *word);

/* A growing byte buffer; failed is sticky, so check once at the end. */
typedef struct ip_buffer { /* begins as {0} */
    char *data;
    size_t size, room;
    bool failed;
} ip_buffer;
void ip_buffer_add(ip_buffer *buffer, const void *bytes, size_t size);
void ip_buffer_printf(ip_buffer *buffer, const char *format, ...) IP_PRINTF(2, 3);
char *ip_buffer_take(ip_buffer *buffer); /* NUL-terminated; the caller frees; NULL if failed */
void ip_buffer_free(ip_buffer *buffer);

/* hash.c: SHA-256 through libcrypto. */
typedef struct ip_sha256 ip_sha256;
ip_sha256 *ip_sha256_new(void);
bool ip_sha256_add(ip_sha256 *hash, const void *bytes, size_t size);
bool ip_sha256_end(ip_sha256 *hash, char hex[65]); /* frees hash */
bool ip_sha256_of(const void *bytes, size_t size, char hex[65]);
ipos_status ip_sha256_file(const char *path, char hex[65], uint64_t *size);

/* file.c: whole small files, atomic replacement (temporary beside it, fsync, rename, fsync of the folder). Plain files only:
 * pipes and devices are refused. A NUL follows the bytes read; over limit (0: none) is IPOS_ERR_NO_MEMORY. */
ipos_status ip_file_read(const char *path, uint64_t limit, void **bytes, size_t *size);
ipos_status ip_file_write(const char *path, const void *bytes, size_t size);
/* The same for what is written piece by piece: begin makes an empty temporary open for reading and writing; commit syncs it, closes
 * fd and renames, removing it on failure; abandon closes fd (unless -1) and removes it. Both free the name. */
ipos_status ip_file_begin(const char *path, char **temporary, int *fd);
ipos_status ip_file_commit(char *temporary, int fd, const char *path);
void ip_file_abandon(char *temporary, int fd);
ipos_status ip_folder_sync(const char *folder);
/* path.c */
ipos_status ip_make_folders(const char *path); /* like mkdir -p */
char *ip_path_join(const char *folder, const char *name);
char *ip_path_absolute(const char *path); /* the file need not exist */

/* pool.c: a parallel loop on threads of its own; body(user, begin, end) on disjoint ranges. Runs inline if threads <= 1. Error
 * text set in a body stays with the thread that set it. */
typedef void (*ip_range_fn)(void *user, int64_t begin, int64_t end);
void ip_parallel(int threads, int64_t count, int64_t grain, ip_range_fn body, void *user);
/* body(user) beside the caller, on a thread of its own; at once, where none is to be had, and NULL is returned. Each one begun is waited
 * for, once; NULL is no wait. */
typedef struct ip_later ip_later;
ip_later *ip_later_begin(void (*body)(void *user), void *user);
void ip_later_wait(ip_later *later);
int ip_processors(void); /* those this process may use */

/* rng.c. Random numbers by counter: any place of any stream is reached directly, so a resumed run draws what the first would have. */
typedef struct ip_rng {
    uint64_t key, stream, counter;
} ip_rng;
ip_rng ip_rng_at(uint64_t seed, uint64_t stream);
uint64_t ip_rng_bits(ip_rng *rng);
double ip_rng_unit(ip_rng *rng);                   /* 0 <= x < 1 */
int64_t ip_rng_below(ip_rng *rng, int64_t count);  /* 0..count-1; count > 0 */
double ip_rng_normal(ip_rng *rng);

/* time.c */
double ip_now(void);               /* monotonic seconds */
void ip_utc_text(char out[32]);    /* "2026-11-22T22:20:32.123Z" */

/* option.c: typed, listed, ranged settings. */
typedef struct ip_option_spec {
    const char *name, *help, *unit, *choices, *preset;
    int type; /* IPOS_OPTION_INT ... */
    double minimum, maximum;
} ip_option_spec;
typedef struct ip_option_values ip_option_values; /* texts by spec index, checked */
ip_option_values *ip_options_new(const ip_option_spec *specs, size_t count);
void ip_options_free(ip_option_values *values);
size_t ip_options_count(const ip_option_values *values); /* of the specs it was made with */
ipos_status ip_options_set(ip_option_values *values, const char *name, const char *text); /* text NULL: back to the preset */
const char *ip_options_text(const ip_option_values *values, const char *name); /* preset if not set; never NULL for a known name */
int64_t ip_options_int(const ip_option_values *values, const char *name);
double ip_options_real(const ip_option_values *values, const char *name);
bool ip_options_bool(const ip_option_values *values, const char *name);

/* For qsort: floats, ascending. */
static inline int ip_by_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Whether value is in a list in ascending order. */
static inline bool ip_sorted_has(const int64_t *sorted, size_t count, int64_t value)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] == value)
            return true;
        if (sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* A cancel flag set from any thread. */
typedef struct ip_cancel {
    atomic_int set;
} ip_cancel;
static inline bool ip_cancelled(const ip_cancel *cancel) { return cancel && atomic_load_explicit(&cancel->set, memory_order_relaxed) != 0; }

#endif
