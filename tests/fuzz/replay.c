/* Runs a harness over files without libFuzzer: replay [-mutations N] FILE|FOLDER...  Each file is taken as it is, cut short,
 * and N times with a few bytes changed, the same ones in every run. */
#include "fuzz.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint32_t state = 0x9e3779b9u;
static long inputs;
static int mutations;

static uint32_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* A copy of exactly that size, so that a sanitizer sees one byte too many. */
static void run(const uint8_t *data, size_t size, int changes) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        return;
    memcpy(copy, data, size);
    for (int i = 0; i < changes && size > 0; i++) {
        static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff};
        uint8_t *at = &copy[next_random() % size];
        *at = next_random() % 2 ? (uint8_t)(*at ^ 1u << next_random() % 8) : telling[next_random() % sizeof telling];
    }
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

static void replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return;
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    if (data && size >= 0 && fread(data, 1, (size_t)size, file) == (size_t)size) {
        run(data, (size_t)size, 0);
        for (int i = 0; i < mutations; i++) {
            run(data, next_random() % ((uint32_t)size + 1), 0);
            run(data, (size_t)size, 1 + (int)(next_random() % 6));
        }
    }
    free(data);
    fclose(file);
}

static void replay(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    struct dirent **entries = NULL;
    const int count = scandir(path, &entries, NULL, alphasort); /* in order, so that every run is the same */
    for (int i = 0; i < count; i++) {
        char inner[4096];
        if (entries[i]->d_name[0] != '.' && snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name) < (int)sizeof inner)
            replay(inner);
        free(entries[i]);
    }
    free(entries);
}

int main(int count, char **words) {
    int first = 1;
    if (count > 2 && strcmp(words[1], "-mutations") == 0) {
        mutations = atoi(words[2]);
        first = 3;
    }
    for (int i = first; i < count; i++)
        replay(words[i]);
    printf("%ld inputs\n", inputs);
    return inputs == 0;
}
