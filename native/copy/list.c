/* The list of a sparse file's data. */
#include "sparse.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int sparse_list(int fd, off_t size, FILE *out) {
  for (off_t end = 0; end < size;) {
    off_t data = lseek(fd, end, SEEK_DATA);
    if (data < 0) {
      if (errno == ENXIO) break; /* a hole up to the end */
      return errno;
    }
    end = lseek(fd, data, SEEK_HOLE);
    if (end < 0) return errno;
    if (fprintf(out, "%lld %lld\n", (long long)data, (long long)(end - data)) < 0) return errno;
  }
  return fflush(out) == 0 ? 0 : errno;
}
