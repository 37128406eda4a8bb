#include "holes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* The first bytes up to the end of their page in the file. */
static size_t page_at(uint64_t at, size_t length) {
  size_t rest = PAGE - (size_t)(at % PAGE);
  return rest < length ? rest : length;
}

/* Each byte is as the one before it, and the first is zero. */
static int is_zero(const char *bytes, size_t length) { return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0; }

static int write_all(int fd, const char *bytes, size_t length, uint64_t at) {
  while (length > 0) {
    ssize_t count = pwrite(fd, bytes, length, (off_t)at);
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) {
      bytes += count;
      at += (uint64_t)count;
      length -= (size_t)count;
    }
  }
  return 0;
}

int holes_write(int fd, const char *bytes, size_t length, uint64_t at) {
  size_t written = 0;
  for (size_t start = 0, end; start < length; start = end) {
    end = start + page_at(at + start, length - start);
    if (is_zero(bytes + start, end - start)) continue;
    while (end < length) {
      size_t page = page_at(at + end, length - end);
      if (is_zero(bytes + end, page)) break;
      end += page;
    }
    int error = write_all(fd, bytes + start, end - start, at + start);
    if (error != 0) return error;
    written = end;
  }
  /* Behind the last write is a hole. */
  return written == length || ftruncate(fd, (off_t)(at + length)) == 0 ? 0 : errno;
}
