#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

static int open_file(int directory, const char *name) {
  int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat status;
  if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))) {
    close(fd);
    return -1;
  }
  return fd;
}

/* A whole piece, or the rest of the file; -1 on a read error. */
static ssize_t fill(int fd, char *piece) {
  size_t size = 0;
  while (size < PIECE) {
    ssize_t count = read(fd, piece + size, PIECE - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    size += (size_t)count;
  }
  return (ssize_t)size;
}

bool same_content(int old_directory, int new_directory, const char *name) {
  static char pieces[2][PIECE];
  int old = open_file(old_directory, name), now = open_file(new_directory, name);
  bool same = old >= 0 && now >= 0;
  while (same) {
    ssize_t size = fill(old, pieces[0]);
    same = size >= 0 && fill(now, pieces[1]) == size && memcmp(pieces[0], pieces[1], (size_t)size) == 0;
    if (size < PIECE) break;
  }
  if (old >= 0) close(old);
  if (now >= 0) close(now);
  return same;
}
