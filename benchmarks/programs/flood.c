/* Writes COUNT lines of 80 bytes, numbered, as fast as it can: "ID NUMBER xxx…\n".
 * With "single" each line is a write of its own; with "stay" it goes on living afterwards, because
 * foreman and its kin stop everything when one process ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(const char *data, size_t size) {
    while (size > 0) {
        ssize_t done = write(1, data, size);
        if (done < 0) exit(1);
        data += done;
        size -= (size_t)done;
    }
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    long count = atol(argv[1]);
    int single = argc > 3 && strcmp(argv[3], "single") == 0;
    static char block[65600];
    size_t filled = 0;
    for (long number = 0; number < count; number++) {
        int head = sprintf(block + filled, "%s %010ld ", argv[2], number);
        memset(block + filled + head, 'x', (size_t)(79 - head));
        block[filled + 79] = '\n';
        filled += 80;
        if (single || filled + 80 > 65536) {
            put(block, filled);
            filled = 0;
        }
    }
    put(block, filled);
    for (int n = 3; n < argc; n++)
        if (strcmp(argv[n], "stay") == 0) pause();
    return 0;
}
