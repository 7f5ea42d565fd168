#include "fixture.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

void need(ipos_status status)
{
    if (status != IPOS_OK)
        fail_msg("%s: %s", ipos_status_name(status), ipos_last_error());
}

void need_fail(ipos_status status, ipos_status expected, const char *word)
{
    if (status != expected)
        fail_msg("expected %s, got %s: %s", ipos_status_name(expected), ipos_status_name(status), ipos_last_error());
    if (word && !strstr(ipos_last_error(), word))
        fail_msg("\"%s\" is not in: %s", word, ipos_last_error());
}

int fixture_setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    char folder[] = "/tmp/ipos-store-XXXXXX";

    if (!f || !mkdtemp(folder))
        return -1;
    f->folder = ip_strdup(folder);
    f->project = ip_path_join(folder, "project");
    f->footage = ip_path_join(folder, "footage");
    *state = f;
    return ip_make_folders(f->footage) == IPOS_OK && ip_store_create(f->project, "Test", NULL, &f->store) == IPOS_OK ? 0 : -1;
}

int fixture_teardown(void **state)
{
    fixture *f = *state;

    ip_store_close(f->store);
    (void)ip_remove_tree(f->folder);
    ip_free(f->folder);
    ip_free(f->project);
    ip_free(f->footage);
    free(f);
    return 0;
}

char *fixture_path(fixture *f, const char *name)
{
    return ip_path_join(f->folder, name);
}

void fixture_reopen(fixture *f)
{
    ip_store_close(f->store);
    f->store = NULL;
    need(ip_store_open(f->project, NULL, &f->store));
}

ipos_frame *make_picture(int width, int height, int scene, double position, int32_t type)
{
    const ipos_channel channels[3] = {{"R", type, 1, 1}, {"G", type, 1, 1}, {"B", type, 1, 1}};
    const ipos_box box = {0, 0, width, height};
    float *values = ip_alloc((size_t)(width * height) * sizeof *values);
    ipos_frame *frame;

    need(ip_frame_new(&box, NULL, channels, 3, NULL, NULL, &frame));
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < width * height; i++) {
            double x = i % width + position, y = i / width;
            values[i] = (float)(0.5 + 0.2 * sin(x * (0.05 + 0.04 * scene) + c) + 0.2 * cos(y * (0.13 + 0.03 * scene) + x * 0.05 + scene * 2.1));
        }
        ip_channel_from_float(&frame->channels[ipos_frame_find_channel(frame, channels[c].name)], values);
    }
    ip_free(values);
    return frame;
}

static void write_sequence(fixture *f, const char *name, int first, int count, int shot, int32_t type, const char *extension)
{
    char *folder = ip_path_join(f->footage, name);

    need(ip_make_folders(folder));
    for (int i = 0; i < count; i++) {
        char *path = ip_format("%s/%s.%04d.%s", folder, name, first + i, extension);
        ipos_frame *frame = make_picture(96, 54, shot ? i / shot : 0, 1.5 * i, type);
        if (type == IPOS_F16) {
            const ipos_timecode timecode = {1, 0, 0, i, 0, 0};
            const ipos_rational rate = {24, 1};
            need(ipos_frame_set_timecode(frame, &timecode));
            need(ipos_frame_set_rate(frame, &rate));
            need(ipos_frame_set_attribute(frame, "reelName", "string", "A001C003", 8));
            char *number = ip_format("%d", first + i);
            need(ip_frame_set_text(frame, "number", number));
            ip_free(number);
        }
        need(ip_image_write(&frame, 1, NULL, path, NULL, NULL));
        ipos_frame_release(frame);
        ip_free(path);
    }
    ip_free(folder);
}

void make_sequence(fixture *f, const char *name, int first, int count, int shot)
{
    write_sequence(f, name, first, count, shot, IPOS_U8, "png");
}

void make_exr_sequence(fixture *f, const char *name, int first, int count)
{
    write_sequence(f, name, first, count, 0, IPOS_F16, "exr");
}

ipos_clip_config clip_config(const char *name)
{
    return (ipos_clip_config){.struct_size = sizeof(ipos_clip_config), .training = IPOS_TRAINING_ALLOWED, .name = name,
        .owner = "Test Films",
        .licence = "production-owned", .encoding = "srgb", .rate = {24, 1}};
}

ipos_status ingest(fixture *f, const char *name)
{
    ipos_clip_config config = clip_config(name);
    char *path = ip_path_join(f->footage, name);
    ipos_status status = ip_store_ingest(f->store, path, &config, NULL, NULL);

    ip_free(path);
    return status;
}

char *make_option(fixture *f, const char *clip, const char *frames, ipos_rational time)
{
    static const ipos_channel channels[2] = {{"confidence", IPOS_F32, 1, 1}, {"evidence", IPOS_F32, 1, 1}};
    ip_option_writer *writer;
    ipos_frame *source, *picture, *evidence;
    char **ids, *id;
    size_t count;
    int64_t before = time.num / time.den - (time.num % time.den == 0);

    need(ip_store_options_begin(f->store, "inbetween", clip, frames, "{\"strength\":0.5}", NULL, NULL, &writer));
    need(ip_store_frame(f->store, clip, before, &source));
    need(ip_frame_like(source, 0, NULL, NULL, &picture));
    need(ip_frame_copy_pixels(picture, source));
    need(ip_frame_new(&source->data_window, NULL, channels, 2, NULL, NULL, &evidence));
    need(ip_option_add_frame(writer, "full", time, 0.75, picture, evidence));
    need(ip_option_add(writer, "full", "Everything", 0, 31.5, "{\"note\":1}"));
    ipos_frame_release(source);
    ipos_frame_release(picture);
    ipos_frame_release(evidence);
    need(ip_option_commit(writer, &ids, &count));
    assert_int_equal(count, 1);
    id = ids[0];
    ip_free(ids);
    return id;
}

void verify_clean(fixture *f)
{
    char *json = NULL;
    ipos_status status = ip_store_verify(f->store, true, NULL, NULL, &json);

    if (status != IPOS_OK)
        fail_msg("verify: %s: %s", ipos_last_error(), json ? json : "");
    ip_free(json);
}

void flip_byte(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");
    int c;

    assert_non_null(file);
    fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET);
    c = fgetc(file);
    fseek(file, -1, SEEK_CUR);
    fputc(c ^ 1, file);
    fclose(file);
}

json_t *parse(char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    assert_non_null(value);
    ip_free(text);
    return value;
}
