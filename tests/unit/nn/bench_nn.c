/* Time of a training step (4 patches of 128) and of inference at 960x540, with 1 and 2 threads, beside the machine's speed; of the wire
 * detector's inference too. */
#include "fuse_sample.h"
#include "wire_net.h"

#include <stdlib.h>
#include <time.h>

typedef struct supply {
    fuse_sample samples[4];
} supply;

static ipos_status example(void *user, int64_t index, ip_fuse_example *out)
{
    *out = ((supply *)user)->samples[index].example;
    return IPOS_OK;
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static ipos_status training(const ip_backend_v1 *b, supply *s, int64_t steps)
{
    ip_fuse *fuse;
    ip_train_result first, result;
    ip_fuse_training training = {.train = {s, 4, example, NULL}, .held_out = {s, 1, example, NULL}, .groups = 1,
        .plan = {.steps = 3, .validations = 1}};
    IP_TRY(ip_fuse_new(b, IP_DEVICE_CPU, 1, &fuse));
    ipos_status status = ip_fuse_train(fuse, &training, &first);
    training.plan.steps = 3 + steps;
    double cpu = cpu_seconds();
    if (status == IPOS_OK)
        status = ip_fuse_train(fuse, &training, &result);
    if (status == IPOS_OK)
        printf("  training step, batch 4 x 128x128: %.0f ms, %.0f CPU-ms\n", 1000 * (result.seconds - first.seconds) / (double)steps,
            1000 * (cpu_seconds() - cpu) / (double)(steps + 3));
    ip_fuse_free(fuse);
    return status;
}

static ipos_status inference(const ip_backend_v1 *b, const ip_fuse_input *in)
{
    ip_fuse *fuse;
    float *planes = malloc(3 * (size_t)in->width * (size_t)in->height * sizeof *planes);
    size_t count = (size_t)in->width * (size_t)in->height;
    ip_fuse_output out = {.picture = {planes, planes + count, planes + 2 * count}};
    ipos_status status = ip_fuse_new(b, IP_DEVICE_CPU, 1, &fuse);
    double best = 1e9, cpu = 0;
    for (int i = 0; i < 6 && status == IPOS_OK; i++) {
        double begin = ip_now();
        cpu = cpu_seconds();
        status = ip_fuse_forward(fuse, in, NULL, &out);
        cpu = cpu_seconds() - cpu;
        best = IP_MIN(best, ip_now() - begin);
    }
    if (status == IPOS_OK)
        printf("  inference %dx%d: %.0f ms, %.0f CPU-ms\n", in->width, in->height, 1000 * best, 1000 * cpu);
    ip_fuse_free(fuse);
    free(planes);
    return status;
}

static ipos_status detection(const ip_backend_v1 *b)
{
    enum { WIDTH = 960, HEIGHT = 540 };
    ip_wire_net *net;
    float *room = malloc(4 * WIDTH * HEIGHT * sizeof *room);
    ip_rng rng = ip_rng_at(3, 1);
    for (int i = 0; i < 3 * WIDTH * HEIGHT; i++)
        room[i] = (float)ip_rng_unit(&rng);
    const ip_wire_view view = {WIDTH, HEIGHT, WIDTH, {room, room + WIDTH * HEIGHT, room + 2 * WIDTH * HEIGHT, NULL, room + WIDTH * HEIGHT}};
    ipos_status status = ip_wire_net_new(b, IP_DEVICE_CPU, 1, &net);
    double best = 1e9, cpu = 1e9;
    for (int i = 0; i < 6 && status == IPOS_OK; i++) {
        double begin = ip_now(), own = cpu_seconds();
        status = ip_wire_net_run(net, &view, NULL, NULL, room + 3 * WIDTH * HEIGHT);
        cpu = IP_MIN(cpu, cpu_seconds() - own);
        best = IP_MIN(best, ip_now() - begin);
    }
    if (status == IPOS_OK)
        printf("  wire detector %dx%d: %.0f ms, %.0f CPU-ms\n", WIDTH, HEIGHT, 1000 * best, 1000 * cpu);
    ip_wire_net_free(net);
    free(room);
    return status;
}

int main(int count, char **words)
{
    const ip_backend_v1 *b = ip_backend();
    int64_t steps = count > 1 ? atoi(words[1]) : 12;
    supply s;
    fuse_sample frame;
    ipos_status status = b ? b->use_cache(2ull << 30, 0) : IPOS_ERR_UNKNOWN;
    fuse_sample_new(&frame, 960, 540, 3);
    for (int i = 0; i < 4; i++)
        fuse_sample_new(&s.samples[i], 160, 160, (uint64_t)i);
    for (int threads = 1; threads <= 2 && status == IPOS_OK; threads++) {
        double forward = 0, both = 0;
        status = b->set_threads(threads);
        if (status == IPOS_OK)
            status = b->measure(IP_DEVICE_CPU, .5, &forward, &both);
        printf("libtorch %s, %d thread%s, convolutions %.0f GFLOP/s inference, %.0f training\n", b->library_version(), threads,
            threads > 1 ? "s" : "", forward, both);
        if (status == IPOS_OK)
            status = training(b, &s, steps);
        if (status == IPOS_OK)
            status = inference(b, &frame.example.input);
        if (status == IPOS_OK)
            status = detection(b);
    }
    if (status != IPOS_OK)
        fprintf(stderr, "%s\n", ipos_last_error());
    fuse_sample_free(&frame);
    for (int i = 0; i < 4; i++)
        fuse_sample_free(&s.samples[i]);
    return status != IPOS_OK;
}
