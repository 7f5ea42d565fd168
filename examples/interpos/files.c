/* Text files in and out. */
#include "cmd.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (!file || (getdelim(&text, &size, 0, file) < 0 && ferror(file))) {
        fprintf(stderr, "interpos: %s: %s\n", path, strerror(errno));
        free(text);
        text = NULL;
    } else if (!text) {
        text = calloc(1, 1);
    }
    if (file)
        fclose(file);
    return text;
}

int write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wxe");

    if (!file) {
        fprintf(stderr, "interpos: %s: %s\n", path, errno == EEXIST ? "exists: nothing is overwritten, choose another name" : strerror(errno));
        return EXIT_FAILED;
    }
    const bool failed = fputs(text, file) < 0;
    if (fclose(file) != 0 || failed) {
        fprintf(stderr, "interpos: %s: writing failed\n", path);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

int write_taken(ipos_status status, char **text, const char *path)
{
    int code = say_status(status);

    if (status == IPOS_OK)
        code = write_text(path, *text);
    ipos_free(*text);
    return code;
}
