/* interpos-engine: started by libinterpos with its pipes and pools as descriptors 3 to 6. */
#include "process.h"
#include "setup.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_pipe(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode);
}

static bool is_file(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

static int refuse(void)
{
    fputs("interpos-engine is started by libinterpos, not by hand: it talks over pipes and shared memory that its client passes on.\n"
          "Use the interpos command, or ipos_context_engine_info() to see what this engine is.\n", stderr);
    return 2;
}

int main(int count, char **arguments)
{
    int64_t parent, threads;
    if (count != 4 || strcmp(arguments[1], "--serve") != 0 || !ip_parse_int(arguments[2], &parent) || !ip_parse_int(arguments[3], &threads))
        return refuse();
    if (!is_pipe(IP_FD_IN) || !is_pipe(IP_FD_OUT) || !is_file(IP_FD_CLIENT_POOL) || !is_file(IP_FD_ENGINE_POOL))
        return refuse();
    for (int fd = IP_FD_IN; fd < IP_FD_END; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    /* Where memory runs out, the engine goes before its host. */
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        if (write(score, "500", 3) != 3)
            fputs("interpos-engine: oom_score_adj could not be raised\n", stderr);
        close(score);
    }
    const ip_server_config config = {IP_FD_IN, IP_FD_OUT, IP_FD_CLIENT_POOL, IP_FD_ENGINE_POOL, (int)threads, (int)parent};
    int status = ip_server_main(&config, ip_ops, ip_engine_backend());
    if (status != 0)
        fprintf(stderr, "interpos-engine: %s\n", ipos_last_error());
    _exit(status == 0 ? 0 : 1); /* no destructors: libtorch's may hang while its threads run */
}
