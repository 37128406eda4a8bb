#include "feed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024 };

/* One per helper, which is a process of its own. */
static size_t used;
static uint8_t buffer[BUFFER];

int feed_flush(void) {
  const uint8_t *from = buffer;
  size_t left = used;
  used = 0;
  while (left > 0) {
    ssize_t count = write(STDOUT_FILENO, from, left);
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) {
      from += count;
      left -= (size_t)count;
    }
  }
  return 0;
}

int feed_put(const void *data, size_t size) {
  const uint8_t *from = data;
  while (size > 0) {
    if (used == BUFFER) {
      int error = feed_flush();
      if (error != 0) return error;
    }
    size_t count = BUFFER - used < size ? BUFFER - used : size;
    memcpy(buffer + used, from, count);
    used += count;
    from += count;
    size -= count;
  }
  return 0;
}

uint8_t *big_endian(uint8_t *to, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) *to++ = (uint8_t)(value >> (8 * i));
  return to;
}
