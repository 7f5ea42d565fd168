/* Handles behind the public API, and the checks every entry point makes before it forwards. */
#ifndef IP_API_H
#define IP_API_H

#include "client.h"
#include "review.h"
#include "store.h"
#include <interpos/interpos.h>
#include <jansson.h>
#include <pthread.h>
#include <sys/types.h>

enum { IP_MAGIC_CONTEXT = 0x43504950, IP_MAGIC_PROJECT = 0x50504950, IP_MAGIC_MODEL = 0x4d504950, IP_MAGIC_OPERATION = 0x4f504950 };

struct ipos_context {
    uint32_t magic;
    atomic_int refs;
    pid_t pid;                 /* a fork must not touch its parent's engine */
    pthread_mutex_t lock;      /* guards engine */
    pthread_mutex_t log_lock;  /* recursive: a log callback may call the library */
    ip_engine *engine;         /* made on first use */
    ipos_context_config config; /* defaults filled in; texts owned */
};

struct ipos_project {
    uint32_t magic;
    atomic_int refs;
    ipos_context *context;
    ip_store *store;
    pthread_mutex_t lock; /* recursive: callbacks may call back on the same thread */
};

struct ipos_model {
    uint32_t magic;
    atomic_int refs;
    ipos_project *project;
    char *name, *card, *operation;
    void *bytes;
    size_t size;
    char hash[65];
};

/* check.c */

/* Copies the caller's struct (leading struct_size) into one of this library's: smaller than `least` is refused, so is a larger
 * one with members set that this version does not know. */
ipos_status ip_take_config(void *to, size_t size, const void *from, size_t least, const char *what);
/* The inverse for results: fills what the caller's struct has room for, zeroes what this version does not know. */
ipos_status ip_give_info(void *to, const void *from, size_t size, size_t least, const char *what);
ipos_status ip_check_context(const ipos_context *context);
ipos_status ip_check_model(const ipos_model *model);
ipos_status ip_check_text(const char *text, const char *what); /* NULL or "" is an argument error */
/* Checks the handle and takes it for this thread, with a reference until ip_leave; another thread in it is IPOS_ERR_STATE, not a wait. */
ipos_status ip_enter(ipos_project *project);
ipos_status ip_leave(ipos_project *project, ipos_status status); /* returns status */
ipos_status ip_new_lock(pthread_mutex_t *lock);                  /* recursive */
/* Compact JSON with sorted keys in memory for ipos_free; steals root. */
ipos_status ip_json_give(json_t *root, char **out);

#define IP_NEED(pointer)                                                                         \
    do {                                                                                         \
        if (!(pointer))                                                                          \
            return ip_fail(IPOS_ERR_ARGUMENT, "%s: argument '%s' is NULL", __func__, #pointer);  \
    } while (0)
/* An out parameter that must be there, cleared for the case of failure. */
#define IP_OUT(pointer)          \
    do {                         \
        IP_NEED(pointer);        \
        *(pointer) = NULL;       \
    } while (0)

/* context.c */
void ip_context_log(void *context, int level, const char *text);
ipos_status ip_context_engine(ipos_context *context, ip_engine **out);
ipos_status ip_context_storage(void *context, size_t bytes, ip_storage *storage); /* an ip_storage_fn */
void ip_context_env(ipos_context *context, ip_io_env *env);
/* Makes the frame keep the context alive; NULL and frames that already keep one are left alone. */
void ip_adopt_frame(ipos_context *context, ipos_frame *frame);

/* clip_list.c: texts of the store as the engine wants them. */
void ip_clip_view(const ip_store_clip *clip, ip_op_clip *view);

/* frame_list.c */
__extension__ typedef __int128 ip_wide; /* products of times */
typedef struct ip_times {
    ipos_rational *at; /* reduced, ascending, no two equal */
    size_t count;
} ip_times;
ipos_status ip_times_parse(const char *text, ip_times *out);
void ip_times_free(ip_times *times);
bool ip_times_has(const ip_times *times, int64_t number);

#endif
