/* A scratch folder for each test of footage, and what tests do in it. */
#ifndef MEDIA_TEST_H
#define MEDIA_TEST_H

#include "io_test.h"
#include "media_parts.h"

static char *folder;

static inline char *in_folder(const char *name) {
    char *path = ip_path_join(folder, name);
    assert_non_null(path);
    return path;
}

static inline int set_up(void **state) {
    (void)state;
    folder = scratch_folder();
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    remove_folder(folder);
    ip_free(folder);
    return 0;
}

static inline void shell(const char *format, ...) {
    char command[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static inline ip_media *open_ok(const char *path) {
    ip_media *media = NULL;
    if (ip_media_open(NULL, path, &media) != IPOS_OK)
        fail_msg("%s", ipos_last_error());
    return media;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
