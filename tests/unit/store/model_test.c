/* Models: the card in the file's header, tied to project and permission; checkpoints. */
#include "card.h"
#include "fixture.h"
#include "model_header.h"
#include <stdlib.h>
#include <unistd.h>

/* A valid safetensors file with two tensors. */
static char *weights(size_t *size)
{
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                                 "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[16,22]},\"__metadata__\":{\"architecture\":\"u1\"}}";
    size_t n = sizeof header - 1;
    char *bytes = ip_calloc(1, 8 + n + 22);

    bytes[0] = (char)n;
    memcpy(bytes + 8, header, n);
    for (int i = 0; i < 22; i++)
        bytes[8 + n + (size_t)i] = (char)(i + 1);
    *size = 8 + n + 22;
    return bytes;
}

static ipos_status save(fixture *f, const char *name, const char *clips)
{
    size_t size;
    char *bytes = weights(&size);
    ipos_status status = ip_store_model_save(f->store, name, "inbetween", clips,
        "{\"seed\":5,\"operator\":\"Ann\",\"minutes\":2.5}",
        "{\"architecture\":\"u1\",\"steps\":100,\"score\":{\"held_out\":31.5,\"baseline\":31.0,\"gain\":0.5,\"per_clip\":[{\"clip\":\"shot\","
        "\"model\":31.5,\"baseline\":31.0}]},\"held_out\":[{\"clip\":\"shot\",\"shot\":[1,4]}],\"settings\":{\"lr\":0.001}}",
        "2026-11-22T20:00:00.000Z", bytes, size);

    ip_free(bytes);
    return status;
}

static void header_is_checked(void **state)
{
    size_t size, data, length;
    char *good = weights(&size), *card;
    void *out;
    json_t *header;

    (void)state;
    need(ip_model_header_with_card(good, size, "{\"x\":1}", &out, &length));
    need(ip_model_header_parse(out, length, &header, &data));
    assert_int_equal(data % 64, 0);
    assert_int_equal(length - data, 22);
    assert_memory_equal((char *)out + data, good + size - 22, 22);
    assert_string_equal(json_string_value(json_object_get(json_object_get(header, "__metadata__"), "architecture")), "u1");
    json_decref(header);
    need(ip_model_header_card(out, length, &card));
    assert_string_equal(card, "{\"x\":1}");
    ip_free(card);
    need_fail(ip_model_header_card(good, size, &card), IPOS_ERR_FORMAT, "no model card");
    /* Cut short at every length: refused, never read past. */
    for (size_t n = 0; n < size; n++) {
        void *cut = ip_alloc(n ? n : 1);
        memcpy(cut, good, n);
        assert_int_equal(ip_model_header_parse(cut, n, &header, &data), IPOS_ERR_FORMAT);
        ip_free(cut);
    }
    static const char *const bad[] = {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,17]}}", "[]", "{\"a\":1}",
        "{\"a\":{\"dtype\":\"F99\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-4],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]},\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[8,16]}}"};
    for (size_t i = 0; i < IP_COUNT(bad); i++) {
        char file[256] = {0};
        file[0] = (char)strlen(bad[i]);
        memcpy(file + 8, bad[i], strlen(bad[i]));
        assert_int_equal(ip_model_header_parse(file, 8 + strlen(bad[i]) + 16, &header, &data), IPOS_ERR_FORMAT);
    }
    ip_free(out);
    ip_free(good);
}

static void saves_with_a_card(void **state)
{
    fixture *f = *state;
    void *bytes;
    size_t size;
    char *card, hash[65], *text;

    make_sequence(f, "shot", 1, 8, 0);
    need(ingest(f, "shot"));
    need(save(f, "m1", "shot"));
    need(ip_store_model_load(f->store, "m1", &bytes, &size, &card, hash));
    assert_int_equal(strlen(hash), 64);
    json_t *c = parse(card), *input = json_array_get(json_object_get(c, "inputs"), 0);
    assert_string_equal(json_string_value(json_object_get(c, "project")), ip_store_id(f->store));
    assert_string_equal(json_string_value(json_object_get(c, "architecture")), "u1");
    assert_string_equal(json_string_value(json_object_get(c, "operator")), "Ann");
    assert_int_equal(json_integer_value(json_object_get(c, "seed")), 5);
    assert_true(json_is_null(json_object_get(c, "base_weights")) && json_object_get(c, "base_weights"));
    assert_int_equal(json_array_size(json_object_get(c, "held_out")), 1);
    assert_int_equal(json_array_size(json_object_get(input, "frames")), 8);
    assert_string_equal(json_string_value(json_object_get(input, "training")), "allowed");
    assert_true(json_number_value(json_object_get(json_object_get(c, "settings"), "lr")) == 0.001);
    assert_true(json_number_value(json_object_get(json_object_get(c, "score"), "gain")) == 0.5);
    text = ip_doc_text(c);
    char *readable = ip_card_text(text);
    assert_non_null(strstr(readable, "shot") ? strstr(readable, "production-owned") : NULL);
    assert_non_null(strstr(readable, "31.50 dB"));
    ip_free(readable);
    ip_free(text);
    json_decref(c);
    ip_free(bytes);
    need(ip_store_models_json(f->store, &text));
    json_t *list = parse(text), *model = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(model, "state")), "ready");
    assert_true(json_number_value(json_object_get(model, "gain")) == 0.5);
    json_decref(list);
    verify_clean(f);
    /* Trained again under the same name: the newest is loaded, the older file stays as the ledger knows it. */
    need(save(f, "m1", "shot"));
    need(ip_store_model_load(f->store, "m1", &bytes, &size, &card, hash));
    ip_free(card);
    ip_free(bytes);
    verify_clean(f);
    assert_null(ip_card_text("not json"));
}

static void permission_is_asked_again(void **state)
{
    fixture *f = *state;

    make_sequence(f, "shot", 1, 8, 0);
    need(ingest(f, "shot"));
    need_fail(save(f, "m1", ""), IPOS_ERR_ARGUMENT, "clips");
    need_fail(save(f, "m1", "shot,none"), IPOS_ERR_NOT_FOUND, "none");
    need(ip_store_set_training(f->store, "shot", IPOS_TRAINING_DENIED, "Ann", NULL));
    need_fail(save(f, "m1", "shot"), IPOS_ERR_PERMISSION, "denied");
    verify_clean(f);
}

static void altered_and_foreign_models(void **state)
{
    fixture *f = *state;
    fixture other = {0};
    void *bytes;
    size_t size;
    char *card, hash[65], *path, *theirs, *mine;

    make_sequence(f, "shot", 1, 8, 0);
    need(ingest(f, "shot"));
    need(save(f, "m1", "shot"));
    path = ip_path_join(f->project, "models/m1.safetensors");
    flip_byte(path, -1);
    need_fail(ip_store_model_load(f->store, "m1", &bytes, &size, &card, hash), IPOS_ERR_TAMPERED, "m1.safetensors");
    assert_null(bytes);
    need_fail(ip_store_verify(f->store, false, NULL, NULL, &card), IPOS_ERR_TAMPERED, "m1.safetensors");
    ip_free(card);
    flip_byte(path, -1);
    verify_clean(f);

    other.folder = f->folder;
    other.footage = f->footage;
    other.project = ip_path_join(f->folder, "other");
    need(ip_store_create(other.project, "Other", NULL, &other.store));
    need(ingest(&other, "shot"));
    need(save(&other, "m2", "shot"));
    theirs = ip_path_join(other.project, "models/m2.safetensors");
    mine = ip_path_join(f->project, "models/m2.safetensors");
    need(ip_copy_file(theirs, mine));
    need_fail(ip_store_model_load(f->store, "m2", &bytes, &size, &card, hash), IPOS_ERR_PERMISSION, "another project");
    need(ip_copy_file(theirs, path));
    need_fail(ip_store_model_load(f->store, "m1", &bytes, &size, &card, hash), IPOS_ERR_PERMISSION, "another project");
    need_fail(ip_store_model_load(f->store, "m3", &bytes, &size, &card, hash), IPOS_ERR_NOT_FOUND, "m3");
    need_fail(ip_store_model_load(f->store, "../m1", &bytes, &size, &card, hash), IPOS_ERR_NOT_FOUND, NULL);
    ip_store_close(other.store);
    ip_free(other.project);
    ip_free(theirs);
    ip_free(mine);
    ip_free(path);
}

static void checkpoints(void **state)
{
    fixture *f = *state;
    char *settings, *text, *path;
    void *bytes;
    size_t size;

    make_sequence(f, "shot", 1, 8, 0);
    need(ingest(f, "shot"));
    need_fail(ip_store_checkpoint_load(f->store, "m1", &settings, &bytes, &size), IPOS_ERR_NOT_FOUND, "m1");
    need(ip_store_checkpoint_save(f->store, "m1", "{\"operation\":\"inbetween\"}", "abc\0def", 7));
    need(ip_store_checkpoint_save(f->store, "m1", "{\"operation\":\"inbetween\",\"seed\":1}", "ABC\0DEF", 7));
    need(ip_store_checkpoint_load(f->store, "m1", &settings, &bytes, &size));
    assert_string_equal(settings, "{\"operation\":\"inbetween\",\"seed\":1}");
    assert_int_equal(size, 7);
    assert_memory_equal(bytes, "ABC\0DEF", 7);
    ip_free(settings);
    ip_free(bytes);
    need(ip_store_models_json(f->store, &text));
    json_t *list = parse(text);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "state")), "unfinished");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "operation")), "inbetween");
    json_decref(list);
    path = ip_path_join(f->project, "models/m1.checkpoint");
    flip_byte(path, 20);
    need_fail(ip_store_checkpoint_load(f->store, "m1", &settings, &bytes, &size), IPOS_ERR_FORMAT, "damaged");
    flip_byte(path, 20);
    need(save(f, "m1", "shot"));
    assert_int_not_equal(access(path, F_OK), 0);
    ip_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_checked),
        cmocka_unit_test_setup_teardown(saves_with_a_card, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(permission_is_asked_again, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(altered_and_foreign_models, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(checkpoints, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
