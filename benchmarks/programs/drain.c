/* Reads as fast as it can; says how many ns it took from the first piece to LINES lines. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 18];

static int64_t now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static long lines_in(const char *data, long size) {
    long total = 0;
    for (long start = 0; start < size; start += 128) { /* in small sums, so that it vectorises */
        long end = start + 128 < size ? start + 128 : size;
        uint8_t some = 0;
        for (long n = start; n < end; n++) some = (uint8_t)(some + (data[n] == '\n'));
        total += some;
    }
    return total;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long left = atol(argv[1]);
    int64_t first = 0;
    ssize_t size;
    while ((size = read(0, buffer, sizeof buffer)) > 0) {
        if (first == 0) first = now();
        if (left <= 0) continue;
        left -= lines_in(buffer, size);
        if (left <= 0) {
            printf("%lld\n", (long long)(now() - first));
            fflush(stdout);
        }
    }
    return 0;
}
