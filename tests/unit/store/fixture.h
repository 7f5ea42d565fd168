/* A project and small footage of the tests' own, in a folder that goes away. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "catalogue.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

typedef struct fixture {
    char *folder, *project, *footage;
    ip_store *store;
} fixture;

int fixture_setup(void **state);    /* an empty project */
int fixture_teardown(void **state);
char *fixture_path(fixture *f, const char *name); /* the caller frees */
void fixture_reopen(fixture *f);

/* A picture whose content depends on scene and position only. */
ipos_frame *make_picture(int width, int height, int scene, double position, int32_t type);
/* footage/NAME/NAME.%04d.png; cuts every shot frames (0: none); with a timecode attribute where the format keeps it. */
void make_sequence(fixture *f, const char *name, int first, int count, int shot);
void make_exr_sequence(fixture *f, const char *name, int first, int count);
ipos_clip_config clip_config(const char *name);
ipos_status ingest(fixture *f, const char *name);
void need(ipos_status status); /* fails the test with the error text */
void need_fail(ipos_status status, ipos_status expected, const char *word);
/* Makes one option (variant "full") of one picture at time on the clip. */
char *make_option(fixture *f, const char *clip, const char *frames, ipos_rational time);
void verify_clean(fixture *f);
/* Overwrites one byte of a file. */
void flip_byte(const char *path, long offset);
json_t *parse(char *text); /* frees text */

#endif
