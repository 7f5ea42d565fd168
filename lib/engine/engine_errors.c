#include "connection.h"

enum { LOGGED_LINES = 200 }; /* of one engine's life; a library that repeats a warning must not fill the host's log */

static void end_line(ip_connection *connection)
{
    ip_error_lines *printed = &connection->printed;
    const ip_engine_config *config = connection->config;
    if (printed->size == 0)
        return;
    printed->line[printed->size] = 0;
    printed->size = 0;
    memcpy(printed->last[printed->count % IP_COUNT(printed->last)], printed->line, sizeof printed->line);
    printed->count++;
    if (!config->log || printed->count > LOGGED_LINES)
        return;
    char *text = ip_format("engine: %s", printed->line);
    if (text)
        config->log(config->log_user, IPOS_LOG_WARNING, text);
    ip_free(text);
    if (printed->count == LOGGED_LINES)
        config->log(config->log_user, IPOS_LOG_WARNING, "engine: prints too much, the rest is left out");
}

void ip_error_lines_add(ip_connection *connection, const char *bytes, size_t size)
{
    ip_error_lines *printed = &connection->printed;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\n')
            end_line(connection);
        else if (printed->size < sizeof printed->line - 1)
            printed->line[printed->size++] = c >= 32 && c < 127 ? (char)c : '?';
    }
}

ipos_status ip_connection_fail(ip_connection *connection, const char *why)
{
    char how[96];
    ip_buffer text = {0};
    char *reason = ip_format("engine: %s", why); /* why may be the error text that the next lines overwrite */
    /* An engine that died by itself is a moment away from having ended; a hung one has had its time. */
    ip_error_lines *printed = &connection->printed;
    atomic_fetch_add(&connection->refs, 1);
    ip_connection_close(connection, connection->gone ? 2 : 0, how);
    end_line(connection);
    ip_buffer_printf(&text, "%s; %s", reason ? reason : "engine: out of memory", how);
    size_t lines = IP_MIN(printed->count, IP_COUNT(printed->last));
    for (size_t i = 0; i < lines; i++)
        ip_buffer_printf(&text, "%s%s", i ? " | " : "; it printed: ", printed->last[(printed->count - lines + i) % IP_COUNT(printed->last)]);
    ip_buffer_printf(&text, "; run the job again, a new engine is started by itself");
    char *whole = ip_buffer_take(&text);
    connection->lender.release(connection);
    ipos_status status = ip_fail(IPOS_ERR_ENGINE, "%s", whole ? whole : "engine: it failed and memory is short");
    ip_free(reason);
    ip_free(whole);
    return status;
}
