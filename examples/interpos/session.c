/* Contexts and projects for a command, and how failures are told. */
#include "cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void print_log(void *user, int32_t level, const char *message)
{
    (void)user;
    fprintf(stderr, "interpos: %s%s\n", level == IPOS_LOG_ERROR ? "error: " : level == IPOS_LOG_WARNING ? "warning: " : "", message);
}

int session_open(cli_session *session, const cli_args *args, const char *folder)
{
    ipos_context_config config = {.struct_size = sizeof config, .built_against = IPOS_VERSION};

    *session = (cli_session){0};
    if (args_has(args, "verbose")) {
        config.log = print_log;
        config.log_level = IPOS_LOG_DEBUG;
    }
    config.engine_path = args_get(args, "engine");
    config.ffmpeg_path = args_get(args, "ffmpeg");
    config.engine_mode = args_has(args, "in-process") ? IPOS_ENGINE_IN_PROCESS : IPOS_ENGINE_PROCESS;
    ipos_status status = ipos_context_create(&config, &session->context);
    if (status == IPOS_OK && folder)
        status = ipos_project_open(session->context, folder, &session->project);
    if (status == IPOS_OK)
        return EXIT_OK;
    int code = say_status(status);
    session_close(session);
    return code;
}

void session_close(cli_session *session)
{
    ipos_project_release(session->project);
    ipos_context_release(session->context);
    *session = (cli_session){0};
}

int say_status(ipos_status status)
{
    if (status == IPOS_OK)
        return EXIT_OK;
    progress_end();
    if (status == IPOS_ERR_CANCELLED)
        fprintf(stderr, "interpos: stopped\n");
    else
        fprintf(stderr, "interpos: %s\n", *ipos_last_error() ? ipos_last_error() : ipos_status_name(status));
    switch (status) {
    case IPOS_ERR_ARGUMENT:
        return EXIT_USAGE;
    case IPOS_ERR_PERMISSION:
    case IPOS_ERR_NOT_ACCEPTED:
        return EXIT_REFUSED;
    case IPOS_ERR_CANCELLED:
        return EXIT_CANCELLED;
    case IPOS_ERR_ENGINE:
        return EXIT_ENGINE;
    case IPOS_ERR_CHANGED:
    case IPOS_ERR_TAMPERED:
        return EXIT_ALTERED;
    default:
        return EXIT_FAILED;
    }
}

int say_usage(const char *format, ...)
{
    va_list list;

    fputs("interpos: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

json_t *take_json(ipos_status status, char **text, int *code)
{
    json_error_t error;

    *code = say_status(status);
    if (status != IPOS_OK)
        return NULL;
    json_t *document = json_loads(*text, 0, &error);
    ipos_free(*text);
    if (!document) {
        fprintf(stderr, "interpos: the library's answer is not JSON: %s\n", error.text);
        *code = EXIT_FAILED;
    }
    return document;
}
