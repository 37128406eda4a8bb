/* The walk over a sparse file: data segments in pieces that two threads take in turn. */
#include "sparse.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  PAGE = 4096,
  PIECE = 256 * 1024,             /* fits the second-level cache, so that the check and the write find the data there */
  CLAIM = 2 * 1024 * 1024,        /* share of a thread at a time */
  PARALLEL_FROM = 4 * 1024 * 1024 /* a second thread pays only above this size */
};

struct job {
  int from;
  int to;   /* -1: punch `from` */
  int over; /* `to` has data: pages of zeros are punched there */
  int base; /* -1: none; else pages of `from` that are as in this file are left out */
  off_t size;
  atomic_llong next;
  atomic_int error;
};

static int page_is_zero(const unsigned char *page) {
  const unsigned long *word = (const unsigned long *)(const void *)page;
  if (word[0] != 0) return 0;
  for (size_t i = 0; i < PAGE / sizeof *word; i += 8)
    if ((word[i] | word[i + 1] | word[i + 2] | word[i + 3] | word[i + 4] | word[i + 5] | word[i + 6] | word[i + 7]) != 0) return 0;
  return 1;
}

static int write_whole(int fd, const unsigned char *bytes, size_t length, off_t at) {
  while (length > 0) {
    ssize_t written = pwrite(fd, bytes, length, at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written == 0 ? EIO : errno;
    bytes += written;
    at += written;
    length -= (size_t)written;
  }
  return 0;
}

/* Deals with `length` bytes that were read at `at`: runs of like pages are written or punched at once. */
static int deal(const struct job *job, unsigned char *bytes, size_t length, off_t at) {
  size_t padded = (length + PAGE - 1) / PAGE * PAGE;
  memset(bytes + length, 0, padded - length);
  for (size_t start = 0, end; start < length; start = end) {
    int zero = page_is_zero(bytes + start);
    for (end = start + PAGE; end < length && page_is_zero(bytes + end) == zero;) end += PAGE;
    int error = 0;
    if (job->to >= 0 && !zero)
      error = write_whole(job->to, bytes + start, (end > length ? length : end) - start, at + (off_t)start);
    else if (zero && (job->to < 0 || job->over) && /* to the end of the page: a shorter range would not free it */
             fallocate(job->over ? job->to : job->from, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at + (off_t)start,
                       (off_t)(end - start)) != 0)
      error = errno;
    if (error != 0) return error;
  }
  return 0;
}

/* Reads `length` bytes; bytes after the end of the file read as zeros. */
static int read_whole(int fd, unsigned char *bytes, size_t length, off_t at) {
  while (length > 0) {
    ssize_t got = pread(fd, bytes, length, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) {
      memset(bytes, 0, length);
      return 0;
    }
    bytes += got;
    at += got;
    length -= (size_t)got;
  }
  return 0;
}

/* Writes the runs of pages within `length` bytes at `at` that differ from the base. */
static int deal_differences(const struct job *job, unsigned char *buffer, size_t length, off_t at) {
  unsigned char *other = buffer + PIECE + PAGE;
  int error = read_whole(job->from, buffer, length, at);
  if (error == 0) error = read_whole(job->base, other, length, at);
  for (size_t start = 0, end; error == 0 && start < length; start = end) {
    size_t page = length - start > PAGE ? (size_t)PAGE : length - start;
    end = start + page;
    if (memcmp(buffer + start, other + start, page) == 0) continue;
    while (end < length) {
      page = length - end > PAGE ? (size_t)PAGE : length - end;
      if (memcmp(buffer + end, other + end, page) == 0) break;
      end += page;
    }
    error = write_whole(job->to, buffer + start, end - start, at + (off_t)start);
  }
  return error;
}

/* The next data of a file from `at` on, or `size` without any; below 0 for an error in errno. */
static off_t data_from(int fd, off_t at, off_t size) {
  off_t data = lseek(fd, at, SEEK_DATA);
  if (data < 0) return errno == ENXIO ? size : -1;
  return data < size ? data : size;
}

/* Ends the claims before `at`: the rest up to there is a hole, which may be as large as a file can be. */
static void skip_to(struct job *job, off_t at) {
  long long next = atomic_load(&job->next), wanted = at / CLAIM * CLAIM;
  while (next < wanted && !atomic_compare_exchange_weak(&job->next, &next, wanted)) continue;
}

/* Where neither file has data, both read as zeros. */
static int deal_claim_since(struct job *job, unsigned char *buffer, off_t start, off_t end) {
  while (start < end) {
    off_t data = data_from(job->from, start, job->size);
    off_t below = data_from(job->base, start, job->size);
    if (data < 0 || below < 0) return errno;
    if (below < data) data = below;
    if (data >= end) {
      skip_to(job, data);
      return 0;
    }
    if (data > start) start = data & ~(off_t)(PAGE - 1);
    size_t length = end - start > PIECE ? (size_t)PIECE : (size_t)(end - start);
    int error = deal_differences(job, buffer, length, start);
    if (error != 0) return error;
    start += (off_t)length;
  }
  return 0;
}

static int deal_segment(const struct job *job, unsigned char *buffer, off_t start, off_t end) {
  while (start < end) {
    size_t want = end - start > PIECE ? (size_t)PIECE : (size_t)(end - start);
    ssize_t got = pread(job->from, buffer, want, start);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) /* truncated meanwhile: the rest stays a hole */
      return 0;
    int error = deal(job, buffer, (size_t)got, start);
    if (error != 0) return error;
    start += got;
  }
  return 0;
}

static int deal_claim(struct job *job, unsigned char *buffer, off_t start, off_t end) {
  while (start < end) {
    off_t data = lseek(job->from, start, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return errno;
    if (data < 0 || data >= end) {
      skip_to(job, data < 0 ? job->size : data);
      return 0;
    }
    off_t hole = lseek(job->from, data, SEEK_HOLE);
    if (hole < 0) return errno;
    if (hole > end) hole = end;
    int error = deal_segment(job, buffer, data & ~(off_t)(PAGE - 1), hole);
    if (error != 0) return error;
    start = hole;
  }
  return 0;
}

static void *work(void *argument) {
  struct job *job = argument;
  unsigned char *buffer = aligned_alloc(PAGE, (PIECE + PAGE) * (job->base < 0 ? (size_t)1 : (size_t)2));
  if (buffer == NULL) atomic_store(&job->error, ENOMEM);
  while (atomic_load(&job->error) == 0) {
    off_t start = (off_t)atomic_fetch_add(&job->next, CLAIM);
    if (start >= job->size) break;
    off_t end = job->size - start > CLAIM ? start + CLAIM : job->size;
    int error = job->base < 0 ? deal_claim(job, buffer, start, end) : deal_claim_since(job, buffer, start, end);
    if (error != 0) atomic_store(&job->error, error);
  }
  free(buffer);
  return NULL;
}

static int run(struct job job) {
  pthread_t second;
  atomic_init(&job.next, 0);
  atomic_init(&job.error, 0);
  /* lseek moves an offset that both threads share, but each uses only its return value. */
  int two = job.size >= PARALLEL_FROM && pthread_create(&second, NULL, work, &job) == 0;
  work(&job);
  if (two) pthread_join(second, NULL);
  return atomic_load(&job.error);
}

int sparse_copy(int from, int to, off_t size) { return run((struct job){.from = from, .to = to, .base = -1, .size = size}); }

int sparse_overlay(int from, int to, off_t size) { return run((struct job){.from = from, .to = to, .over = 1, .base = -1, .size = size}); }

int sparse_since(int from, int base, int to, off_t size) { return run((struct job){.from = from, .to = to, .base = base, .size = size}); }

int sparse_punch(int fd, off_t size) { return run((struct job){.from = fd, .to = -1, .base = -1, .size = size}); }
