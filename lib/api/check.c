/* Checks shared by every entry point. */
#include "api.h"
#include <errno.h>
#include <unistd.h>

static ipos_status check_size(uint32_t given, size_t least, const char *what)
{
    if (given < least)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s: struct_size is %u, expected at least %zu: set it to sizeof(%s)", what, given, least, what);
    return IPOS_OK;
}

ipos_status ip_take_config(void *to, size_t size, const void *from, size_t least, const char *what)
{
    uint32_t given, known = (uint32_t)size;

    memset(to, 0, size);
    memcpy(&given, from, sizeof given);
    IP_TRY(check_size(given, least, what));
    for (size_t i = size; i < given; i++)
        if (((const unsigned char *)from)[i])
            return ip_fail(IPOS_ERR_UNSUPPORTED, "%s: sets a member that this libinterpos (%s) does not know: use a newer library",
                what, ipos_version_text());
    memcpy(to, from, IP_MIN((size_t)given, size));
    memcpy(to, &known, sizeof known);
    return IPOS_OK;
}

ipos_status ip_give_info(void *to, const void *from, size_t size, size_t least, const char *what)
{
    uint32_t given;

    memcpy(&given, to, sizeof given);
    IP_TRY(check_size(given, least, what));
    memset((char *)to + sizeof given, 0, given - sizeof given);
    memcpy((char *)to + sizeof given, (const char *)from + sizeof given, IP_MIN((size_t)given, size) - sizeof given);
    return IPOS_OK;
}

ipos_status ip_check_context(const ipos_context *context)
{
    if (!context || context->magic != IP_MAGIC_CONTEXT)
        return ip_fail(IPOS_ERR_ARGUMENT, "context: NULL or not a live ipos_context");
    return IPOS_OK;
}

ipos_status ip_check_model(const ipos_model *model)
{
    if (!model || model->magic != IP_MAGIC_MODEL)
        return ip_fail(IPOS_ERR_ARGUMENT, "model: NULL or not a live ipos_model");
    return IPOS_OK;
}

ipos_status ip_check_text(const char *text, const char *what)
{
    if (!text || !*text)
        return ip_fail(IPOS_ERR_ARGUMENT, "%s is missing: give a non-empty text", what);
    return IPOS_OK;
}

ipos_status ip_enter(ipos_project *project)
{
    if (!project || project->magic != IP_MAGIC_PROJECT)
        return ip_fail(IPOS_ERR_ARGUMENT, "project: NULL or not a live ipos_project");
    if (project->context->pid != getpid())
        return ip_fail(IPOS_ERR_STATE, "project: opened before a fork: open it again in this process");
    if (pthread_mutex_trylock(&project->lock) != 0)
        return ip_fail(IPOS_ERR_STATE, "project: in use by another thread: open a second handle on the folder for it");
    ipos_project_retain(project); /* a callback may drop the caller's reference */
    return IPOS_OK;
}

ipos_status ip_leave(ipos_project *project, ipos_status status)
{
    pthread_mutex_unlock(&project->lock);
    ipos_project_release(project);
    return status;
}

ipos_status ip_new_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t kind;

    if (pthread_mutexattr_init(&kind) != 0)
        return ip_no_memory(sizeof kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    int failed = pthread_mutex_init(lock, &kind);
    pthread_mutexattr_destroy(&kind);
    return failed ? ip_no_memory(sizeof *lock) : IPOS_OK;
}

static int add_json(const char *text, size_t size, void *buffer)
{
    ip_buffer_add(buffer, text, size);
    return 0;
}

ipos_status ip_json_give(json_t *root, char **out)
{
    ip_buffer buffer = {0};

    *out = NULL;
    if (!root)
        return ip_no_memory(0);
    int failed = json_dump_callback(root, add_json, &buffer, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_decref(root);
    if (failed) {
        ip_buffer_free(&buffer);
        return ip_fail(IPOS_ERR_UNKNOWN, "a value could not be written as JSON");
    }
    *out = ip_buffer_take(&buffer);
    return *out ? IPOS_OK : ip_no_memory(buffer.size);
}
