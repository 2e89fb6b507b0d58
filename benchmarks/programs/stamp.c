/* Adds the time of its first instruction (CLOCK_MONOTONIC, ns) to FILE; then sleeps if told to. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char line[32];
    int size = snprintf(line, sizeof line, "%lld\n", (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
    int file = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (argc < 2 || file < 0 || write(file, line, (size_t)size) != size) return 1;
    if (argc > 2) sleep((unsigned)atoi(argv[2]));
    return 0;
}
