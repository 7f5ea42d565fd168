/* Two users of the library in one process, each in a thread with a context of its own: they share nothing. two_contexts FILE FILE */
#include <interpos/interpos.h>
#include <pthread.h>
#include <stdio.h>

typedef struct user {
    const char *path, *name;
    int failed;
} user;

static void on_log(void *who, int32_t level, const char *message)
{
    fprintf(stderr, "%s: log %d: %s\n", ((user *)who)->name, level, message);
}

static void *work(void *who)
{
    user *me = who;
    ipos_context_config config = {.struct_size = sizeof config, .built_against = IPOS_VERSION, .log = on_log, .log_user = me,
        .log_level = IPOS_LOG_INFO};
    ipos_context *context = NULL;
    ipos_frame *frame = NULL;
    ipos_box window;

    me->failed = ipos_context_create(&config, &context)
        || ipos_frame_read(context, me->path, NULL, &frame)
        || ipos_frame_windows(frame, &window, NULL);
    if (me->failed)
        fprintf(stderr, "%s: %s\n", me->name, ipos_last_error()); /* the text belongs to this thread */
    else
        printf("%s: %s is %dx%d\n", me->name, me->path, window.width, window.height);
    ipos_frame_release(frame);
    ipos_context_release(context);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t other;

    if (argc != 3) {
        fprintf(stderr, "use: two_contexts FILE FILE\n");
        return 2;
    }
    user first = {argv[1], "first", 0}, second = {argv[2], "second", 0};
    if (pthread_create(&other, NULL, work, &second) != 0)
        return 1;
    work(&first);
    pthread_join(other, NULL);
    return first.failed || second.failed;
}
