/* The plain C way to do a runner's hot path, as a reference: poll, memchr, writev.
 * Usage: poll_writev COMMAND…; each output line gets the prefix "[N] ". */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 64
#define SIZE 65536
#define AT_ONCE 1024 /* Linux takes no more buffers in one call */

struct source {
    char prefix[16];
    size_t prefix_size, held;
    char buffer[2 * SIZE];
};

static struct source sources[MOST];
static struct pollfd polled[MOST];

static void write_all(struct iovec *pieces, int count) {
    while (count > 0) {
        ssize_t done = writev(1, pieces, count > AT_ONCE ? AT_ONCE : count);
        if (done < 0) exit(1);
        while (count > 0 && (size_t)done >= pieces->iov_len) {
            done -= (ssize_t)pieces->iov_len;
            pieces++;
            count--;
        }
        if (count > 0) {
            pieces->iov_base = (char *)pieces->iov_base + done;
            pieces->iov_len -= (size_t)done;
        }
    }
}

static void pass_on(struct source *from, size_t size) {
    static struct iovec pieces[4 * SIZE];
    int count = 0;
    char *line = from->buffer, *end = from->buffer + from->held + size, *feed;
    while ((feed = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        pieces[count].iov_base = from->prefix;
        pieces[count++].iov_len = from->prefix_size;
        pieces[count].iov_base = line;
        pieces[count++].iov_len = (size_t)(feed + 1 - line);
        line = feed + 1;
    }
    write_all(pieces, count);
    from->held = (size_t)(end - line);
    memmove(from->buffer, line, from->held);
}

int main(int argc, char **argv) {
    int count = argc - 1 > MOST ? MOST : argc - 1, open = count;
    for (int n = 0; n < count; n++) {
        int ends[2];
        if (pipe(ends) < 0) return 1;
        if (fork() == 0) {
            dup2(ends[1], 1);
            close(ends[0]);
            close(ends[1]);
            execl("/bin/sh", "sh", "-c", argv[n + 1], (char *)NULL);
            _exit(127);
        }
        close(ends[1]);
        polled[n].fd = ends[0];
        polled[n].events = POLLIN;
        sources[n].prefix_size = (size_t)sprintf(sources[n].prefix, "[%d] ", n);
    }
    while (open > 0 && poll(polled, (nfds_t)count, -1) >= 0)
        for (int n = 0; n < count; n++) {
            if (!polled[n].revents) continue;
            ssize_t size = read(polled[n].fd, sources[n].buffer + sources[n].held, SIZE);
            if (size > 0) {
                pass_on(&sources[n], (size_t)size);
                continue;
            }
            close(polled[n].fd);
            polled[n].fd = -1;
            open--;
        }
    while (wait(NULL) > 0)
        continue;
    return 0;
}
