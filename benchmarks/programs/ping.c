/* Writes COUNT lines "ping TIME\n", one every INTERVAL ms; TIME is CLOCK_MONOTONIC in ns. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    long count = atol(argv[1]), interval = atol(argv[2]);
    struct timespec rest = {interval / 1000, (interval % 1000) * 1000000L};
    usleep(700000); /* the runner and its neighbours have started by then */
    for (long number = 0; number < count; number++) {
        struct timespec now;
        char line[64];
        nanosleep(&rest, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
        int size = snprintf(line, sizeof line, "ping %lld\n",
                            (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
        if (write(1, line, (size_t)size) != size) return 1;
    }
    return 0;
}
