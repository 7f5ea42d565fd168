/* Progress for people and for programs; Ctrl-C. */
#include "cli.h"
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NONE, BAR, JSONL };
static int mode;
static bool drawn;
static double last_drawn;
static volatile sig_atomic_t interrupted;
static ipos_operation *volatile running;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void progress_start(const cli_args *args)
{
    const char *how = args_get(args, "progress");

    mode = !how ? (isatty(STDERR_FILENO) ? BAR : NONE) : strcmp(how, "jsonl") == 0 ? JSONL : strcmp(how, "bar") == 0 ? BAR : NONE;
}

bool progress_is_jsonl(void)
{
    return mode == JSONL;
}

static void draw_time(double seconds)
{
    const long whole = seconds >= 0 ? lround(seconds) : -1;

    if (whole >= 3600)
        fprintf(stderr, " %ld:%02ld:%02ld left", whole / 3600, whole / 60 % 60, whole % 60);
    else if (whole >= 0)
        fprintf(stderr, " %ld:%02ld left", whole / 60, whole % 60);
}

static void draw_figures(const char *json)
{
    json_t *object = json_loads(json ? json : "", 0, NULL);
    const json_t *loss = json_object_get(object, "loss"), *score = json_object_get(object, "score");
    const json_t *baseline = json_object_get(object, "baseline");

    if (json_is_number(loss))
        fprintf(stderr, " loss %.4g", json_number_value(loss));
    if (json_is_number(score))
        fprintf(stderr, " held-out %.2f dB", json_number_value(score));
    if (json_is_number(score) && json_is_number(baseline))
        fprintf(stderr, " (%+.2f)", json_number_value(score) - json_number_value(baseline));
    json_decref(object);
}

static void draw_bar(double done, double remaining, const char *stage, const char *json)
{
    enum { WIDTH = 24 };
    const int full = (int)(done * WIDTH);

    if (drawn && done < 1 && now() - last_drawn < 0.1)
        return;
    fputs("\r\033[K[", stderr);
    for (int i = 0; i < WIDTH; i++)
        fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %3.0f%%", done * 100);
    draw_time(remaining);
    draw_figures(json);
    fprintf(stderr, " %.60s", stage);
    fflush(stderr);
    drawn = true;
    last_drawn = now();
}

int32_t progress_report(void *unused, double done, double remaining, const char *stage, const char *json)
{
    (void)unused;
    if (mode == JSONL) {
        puts(json);
        fflush(stdout);
    } else if (mode == BAR) {
        draw_bar(done, remaining, stage, json);
    }
    return interrupted;
}

void progress_end(void)
{
    if (drawn)
        fputc('\n', stderr);
    drawn = false;
}

static void on_interrupt(int number)
{
    if (interrupted) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    interrupted = 1;
    if (running)
        ipos_operation_cancel(running);
}

void interrupt_watch(ipos_operation *operation)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};

    running = operation;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
