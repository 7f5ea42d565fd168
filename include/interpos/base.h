/* interpos/base.h: status codes, error text, small value types. Part of libinterpos.
 *
 * Conventions of the whole API
 *  - Every call that can fail returns ipos_status: 0 is success, failures are negative. Numbers are never reused.
 *  - After a failure ipos_last_error() gives a text for a person: which file or value, what was expected, what to do.
 *  - Out parameters are set to NULL/0 on failure. Handles are reference counted: X_retain, X_release; X_release(NULL)
 *    does nothing. A child handle keeps its parent alive.
 *  - Structs begin with struct_size, set by the caller to sizeof(the struct). Members are only ever appended. Zero means
 *    "default" for every member.
 *  - Text is UTF-8, NUL-terminated. Text the library allocates for the caller is freed with ipos_free().
 *  - The library keeps no process-wide mutable state and never prints, exits, forks without exec, installs signal
 *    handlers, or changes locale, working folder, environment, or the host's threads.
 */
#ifndef INTERPOS_BASE_H
#define INTERPOS_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define IPOS_API __attribute__((visibility("default")))
#define IPOS_NODISCARD __attribute__((warn_unused_result))
#else
#define IPOS_API
#define IPOS_NODISCARD
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t ipos_status;

enum {
    IPOS_OK = 0,
    IPOS_ERR_UNKNOWN = -1,     /* a failure without a better number */
    IPOS_ERR_NO_MEMORY = -2,   /* an allocation failed or the memory budget is too small */
    IPOS_ERR_ARGUMENT = -3,    /* the caller passed a value that is not allowed */
    IPOS_ERR_STATE = -4,       /* the call does not fit the object's state */
    IPOS_ERR_NOT_FOUND = -5,   /* no such clip, frame, model, option, file */
    IPOS_ERR_UNSUPPORTED = -6, /* valid input that this build or version cannot handle */
    IPOS_ERR_FORMAT = -7,      /* a file or message is damaged or not what it claims */
    IPOS_ERR_IO = -8,          /* reading or writing failed */
    IPOS_ERR_ENGINE = -9,      /* the engine could not be started, died, hung or answered nonsense */
    IPOS_ERR_CANCELLED = -10,  /* stopped by ipos_*_cancel or by a progress callback */
    IPOS_ERR_PERMISSION = -11, /* the footage's permissions forbid it */
    IPOS_ERR_CHANGED = -12,    /* a file's bytes are not those that were ingested */
    IPOS_ERR_CONFLICT = -13,   /* another libtorch, another writer, or a name already taken */
    IPOS_ERR_NOT_ACCEPTED = -14, /* publishing an option that nobody accepted */
    IPOS_ERR_TAMPERED = -15      /* the ledger or a stored file was altered */
};

/* Text of the last failure on the calling thread; stays valid until that thread's next ipos call. Never NULL. */
IPOS_API const char *ipos_last_error(void);
/* "IPOS_ERR_FORMAT" and so on; "unknown status" for other numbers. Static text. */
IPOS_API const char *ipos_status_name(ipos_status status);
/* Frees text or memory that the library handed to the caller. NULL is allowed. */
IPOS_API void ipos_free(void *memory);

/* A rational number: frame rates ({24000, 1001}), times in frames ({21, 2} is half way between frames 10 and 11). */
typedef struct ipos_rational {
    int64_t num;
    int64_t den; /* > 0 */
} ipos_rational;

/* Progress of long work. Called on the thread that made the long call and on no other, a few times a second.
 * done      0..1, never falls
 * remaining estimated seconds to go, negative while unknown
 * stage     what is being done, e.g. "hashing A001C003 412/1000"; valid during the call only
 * json      one JSON object with everything known, for machines: {"stage","done","remaining", and per kind of work
 *           "loss","score","baseline","step","steps","preview" ...}; valid during the call only
 * Return 0 to go on, anything else to stop: the long call then returns IPOS_ERR_CANCELLED. Must not raise or longjmp. */
typedef int32_t (*ipos_progress_fn)(void *user, double done, double remaining, const char *stage, const char *json);

#ifdef __cplusplus
}
#endif
#endif
