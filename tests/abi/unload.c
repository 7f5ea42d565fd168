/* A host under ASan and UBSan that loads the library, uses it from two threads with a context each, and unloads it, several
 * times. unload LIBRARY FOLDER */
#include <dlfcn.h>
#include <interpos/interpos.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 3 };

static struct api {
    ipos_status (*context_create)(const ipos_context_config *, ipos_context **);
    void (*context_release)(ipos_context *);
    ipos_status (*frame_create)(ipos_context *, const ipos_box *, const ipos_box *, const ipos_channel *, size_t, ipos_frame **);
    ipos_status (*frame_channel)(const ipos_frame *, size_t, ipos_channel *, ipos_plane *);
    ipos_status (*frame_write)(ipos_frame *const *, size_t, const char *, const ipos_write_config *);
    ipos_status (*frame_read)(ipos_context *, const char *, const ipos_read_config *, ipos_frame **);
    void (*frame_release)(ipos_frame *);
    ipos_status (*project_create)(ipos_context *, const char *, const char *, ipos_project **);
    ipos_status (*project_info)(ipos_project *, char **);
    ipos_status (*project_verify)(ipos_project *, int32_t, ipos_progress_fn, void *, char **);
    void (*project_release)(ipos_project *);
    ipos_status (*operation_create)(ipos_project *, const char *, ipos_operation **);
    void (*operation_release)(ipos_operation *);
    ipos_status (*encodings)(char **);
    const char *(*last_error)(void);
    void (*free_text)(void *);
} api;

static int find_all(void *library)
{
    static const struct {
        const char *name;
        void *slot;
    } names[] = {{"ipos_context_create", &api.context_create}, {"ipos_context_release", &api.context_release},
        {"ipos_frame_create", &api.frame_create}, {"ipos_frame_channel", &api.frame_channel}, {"ipos_frame_write", &api.frame_write},
        {"ipos_frame_read", &api.frame_read}, {"ipos_frame_release", &api.frame_release}, {"ipos_project_create", &api.project_create},
        {"ipos_project_info", &api.project_info}, {"ipos_project_verify", &api.project_verify},
        {"ipos_project_release", &api.project_release}, {"ipos_operation_create", &api.operation_create},
        {"ipos_operation_release", &api.operation_release}, {"ipos_encodings", &api.encodings}, {"ipos_last_error", &api.last_error},
        {"ipos_free", &api.free_text}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *found = dlsym(library, names[i].name);
        if (!found)
            return 1;
        memcpy(names[i].slot, &found, sizeof found);
    }
    return 0;
}

static int use_frames(ipos_context *context, const char *folder, int which)
{
    static const char *const endings[] = {"png", "tif", "exr"};
    const ipos_box window = {0, 0, 40, 30};
    const ipos_channel rgb[] = {{"R", IPOS_U16, 1, 1}, {"G", IPOS_U16, 1, 1}, {"B", IPOS_U16, 1, 1}};
    const ipos_channel half[] = {{"R", IPOS_F16, 1, 1}, {"G", IPOS_F16, 1, 1}, {"B", IPOS_F16, 1, 1}};
    char path[512];
    int failed = 0;

    for (int i = 0; i < 3 && !failed; i++) {
        ipos_frame *frame = NULL, *again = NULL;
        ipos_plane plane;
        snprintf(path, sizeof path, "%s/unload-%d.%s", folder, which, endings[i]);
        failed = api.frame_create(context, &window, NULL, i == 2 ? half : rgb, 3, &frame) || api.frame_channel(frame, 1, NULL, &plane);
        for (int y = 0; y < 30 && !failed; y++)
            memset((char *)plane.data + y * plane.row_stride, 0x3c, 80);
        failed = failed || api.frame_write(&frame, 1, path, NULL) || api.frame_read(context, path, NULL, &again);
        api.frame_release(frame);
        api.frame_release(again);
        unlink(path);
    }
    return failed;
}

static int use_project(ipos_context *context, const char *folder, int which)
{
    char path[512], *json = NULL, command[600];
    ipos_project *project = NULL;
    ipos_operation *operation = NULL;

    snprintf(path, sizeof path, "%s/unload-project-%d", folder, which);
    int failed = api.project_create(context, path, "unload", &project) || api.project_info(project, &json)
        || api.operation_create(project, "inbetween", &operation);
    api.free_text(json);
    json = NULL;
    failed = failed || api.project_verify(project, 1, NULL, NULL, &json);
    api.free_text(json);
    api.operation_release(operation);
    api.project_release(project);
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command) != 0 || failed;
}

static void *use(void *argument)
{
    const char *folder = argument;
    static int numbers;
    const int which = __atomic_add_fetch(&numbers, 1, __ATOMIC_RELAXED);
    ipos_context *context = NULL;
    char *json = NULL;
    int failed = api.context_create(NULL, &context) || use_frames(context, folder, which) || use_project(context, folder, which)
        || api.encodings(&json) || api.frame_read(context, "/nonexistent", NULL, &(ipos_frame *){NULL}) != IPOS_ERR_NOT_FOUND;

    if (failed)
        fprintf(stderr, "unload: %s\n", api.last_error());
    api.free_text(json);
    api.context_release(context);
    return failed ? argument : NULL;
}

/* A thread that used the library and ends after it is gone: nothing of the library may run then. */
static pthread_barrier_t unloaded;

static void *use_and_outlive(void *argument)
{
    void *failed = use(argument);

    pthread_barrier_wait(&unloaded);
    pthread_barrier_wait(&unloaded);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    pthread_barrier_init(&unloaded, NULL, 2);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t other;
        void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL), *failed = NULL;
        if (!library || find_all(library) || pthread_create(&other, NULL, use_and_outlive, argv[2])) {
            fprintf(stderr, "unload: %s\n", library ? "a name is missing" : dlerror());
            return 1;
        }
        void *here = use(argv[2]);
        pthread_barrier_wait(&unloaded);
        dlclose(library);
        pthread_barrier_wait(&unloaded);
        pthread_join(other, &failed);
        if (here || failed)
            return 1;
    }
    pthread_barrier_destroy(&unloaded);
    puts("loaded, used by two threads, unloaded: 3 times");
    return 0;
}
