/*
 * The floor's host helper.
 *
 *   host copy SOURCE DESTINATION   sparse copy, two threads, straight from the source's mapping
 *   host punch FILE                gives pages of zeros back
 *   host tsc                       time stamp counter in kHz
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { PAGE = 4096, PIECE = 1 << 20 };

static int from, to;
static char *map;
static off_t size;
static atomic_llong next_piece;

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void copy_range(off_t at, off_t end)
{
    while (at < end) {
        ssize_t n = pwrite(to, map + at, (size_t)(end - at), at);
        if (n <= 0)
            die("write");
        at += n;
    }
}

static void *copy_pieces(void *unused)
{
    for (off_t start; (start = (off_t)atomic_fetch_add(&next_piece, PIECE)) < size;) {
        off_t end = start + PIECE < size ? start + PIECE : size;
        while (start < end) {
            off_t data = lseek(from, start, SEEK_DATA);
            if (data < 0 || data >= end)
                break;
            off_t hole = lseek(from, data, SEEK_HOLE);
            start = hole < end ? hole : end;
            copy_range(data, start);
        }
    }
    return unused;
}

static void copy(const char *source, const char *destination)
{
    struct stat stat;
    pthread_t second;
    from = open(source, O_RDONLY);
    to = open(destination, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (from < 0 || to < 0 || fstat(from, &stat) != 0 || ftruncate(to, size = stat.st_size) != 0)
        die(destination);
    map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, from, 0);
    if (map == MAP_FAILED || pthread_create(&second, NULL, copy_pieces, NULL) != 0)
        die("copy");
    copy_pieces(NULL);
    pthread_join(second, NULL);
}

static void punch(const char *path)
{
    static const char zeros[PAGE];
    static char page[PAGE];
    struct stat stat;
    int fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &stat) != 0)
        die(path);
    for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0 && at < stat.st_size; at += PAGE)
        if (pread(fd, page, PAGE, at) == PAGE && memcmp(page, zeros, PAGE) == 0 &&
            fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, PAGE) != 0)
            die("punch");
}

/* The counter and the clock at one moment: the fastest of many reads. */
static void both(uint64_t *ticks, double *ns)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 32; i++) {
        unsigned unused;
        struct timespec now;
        uint64_t before = __rdtscp(&unused);
        clock_gettime(CLOCK_MONOTONIC_RAW, &now);
        uint64_t after = __rdtscp(&unused);
        if (after - before >= best)
            continue;
        best = after - before;
        *ticks = before + best / 2;
        *ns = (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
    }
}

static void print_tsc(void)
{
    uint64_t first, last;
    double from_ns, to_ns;
    struct timespec pause = {0, 50 * 1000 * 1000};
    both(&first, &from_ns);
    nanosleep(&pause, NULL);
    both(&last, &to_ns);
    printf("%.0f\n", (double)(last - first) * 1e6 / (to_ns - from_ns));
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "copy") == 0)
        copy(argv[2], argv[3]);
    else if (argc == 3 && strcmp(argv[1], "punch") == 0)
        punch(argv[2]);
    else if (argc == 2 && strcmp(argv[1], "tsc") == 0)
        print_tsc();
    else
        return 2;
    return 0;
}
