/* A model file: parsed, and every tensor's first and last byte looked at. */
#include "fuzz.h"
#include "safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ip_safetensors file = {0};
    if (ip_st_parse(data, size, &file) == IPOS_OK) {
        for (size_t i = 0; i < file.count; i++) {
            const ip_st_entry *e = &file.entries[i];
            const volatile uint8_t *at = e->bytes;
            if (e->size)
                (void)(at[0] + at[e->size - 1]);
            if (!ip_st_find(&file, e->name))
                __builtin_trap();
        }
        (void)ip_st_metadata(&file, "interpos.architecture");
    }
    ip_st_free(&file);
    return 0;
}
