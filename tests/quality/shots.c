/* Cuts and duplicates found in movies, beside the truth where there is one.
 *
 *   shots MOVIE [TRUTH.tsv] [MOVIE [TRUTH.tsv]]...
 *
 * TRUTH.tsv: a line a shot, the first column its first frame (a header line is skipped). Prints a line of JSON a movie. */
#include "catalogue.h"
#include "cuts.h"
#include <stdlib.h>

typedef struct movie {
    uint16_t (*thumbs)[IP_THUMB_SIZE];
    char (*hashes)[65];
    int64_t count, room;
} movie;

static void need(ipos_status status)
{
    if (status == IPOS_OK)
        return;
    fprintf(stderr, "%s: %s\n", ipos_status_name(status), ipos_last_error());
    exit(1);
}

static ipos_status get(void *user, int64_t index, uint16_t out[IP_THUMB_SIZE], bool *same)
{
    movie *m = user;

    memcpy(out, m->thumbs[index], sizeof m->thumbs[index]);
    *same = index > 0 && strcmp(m->hashes[index], m->hashes[index - 1]) == 0;
    return IPOS_OK;
}

static movie load(const char *path)
{
    movie m = {0};
    ip_media *media;
    ipos_frame *frame;
    ipos_status status;

    need(ip_media_open(NULL, path, &media));
    while ((status = ip_media_read(media, m.count, &frame)) == IPOS_OK) {
        if (m.count == m.room) {
            m.room = m.room ? 2 * m.room : 256;
            m.thumbs = ip_realloc(m.thumbs, (size_t)m.room * sizeof *m.thumbs);
            m.hashes = ip_realloc(m.hashes, (size_t)m.room * sizeof *m.hashes);
            if (!m.thumbs || !m.hashes)
                need(IPOS_ERR_NO_MEMORY);
        }
        need(ip_thumb_make(frame, "rec709", m.thumbs[m.count]));
        if (!ip_frame_hash(frame, m.hashes[m.count]))
            need(ip_fail(IPOS_ERR_UNKNOWN, "%s: hashing failed", path));
        ipos_frame_release(frame);
        m.count++;
    }
    if (status != IPOS_ERR_NOT_FOUND)
        need(status);
    ip_media_close(media);
    return m;
}

static size_t truth(const char *path, int64_t *cuts, size_t room)
{
    FILE *file = fopen(path, "r");
    char line[256];
    size_t n = 0;

    while (file && n < room && fgets(line, sizeof line, file))
        if (*line >= '1' && *line <= '9')
            cuts[n++] = atoll(line);
    if (file)
        fclose(file);
    return n;
}

static void compare(const ip_shots *shots, const char *path)
{
    int64_t cuts[1000];
    size_t n = truth(path, cuts, IP_COUNT(cuts)), hits = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < shots->cut_count; k++)
            hits += cuts[i] == shots->cuts[k];
    printf(",\"truth\":%zu,\"hits\":%zu,\"precision\":%.3f,\"recall\":%.3f", n, hits,
        (double)hits / (double)IP_MAX(shots->cut_count, 1), (double)hits / (double)IP_MAX(n, 1));
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: shots MOVIE [TRUTH.tsv] ...\n");
        return 2;
    }
    for (int a = 1; a < argc; a++) {
        size_t length;
        movie m = load(argv[a]);
        ip_shots shots;
        double start = ip_now();
        need(ip_shots_find(m.count, get, &m, &shots));
        printf("{\"movie\":\"%s\",\"frames\":%lld,\"us_per_frame\":%.1f,\"cuts\":[", argv[a], (long long)m.count,
            1e6 * (ip_now() - start) / (double)IP_MAX(m.count, 1));
        for (size_t i = 0; i < shots.cut_count; i++)
            printf("%s%lld", i ? "," : "", (long long)shots.cuts[i]);
        printf("],\"duplicates\":%zu", shots.duplicate_count);
        if (a + 1 < argc && (length = strlen(argv[a + 1])) > 4 && strcmp(argv[a + 1] + length - 4, ".tsv") == 0)
            compare(&shots, argv[++a]);
        printf("}\n");
        fflush(stdout);
        ip_shots_free(&shots);
        ip_free(m.thumbs);
        ip_free(m.hashes);
    }
    return 0;
}
