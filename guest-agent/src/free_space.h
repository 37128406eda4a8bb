/* Free blocks of a mounted ext4, from the kernel's own bitmaps (FS_IOC_GETFSMAP). */
#ifndef PYRO_FREE_SPACE_H
#define PYRO_FREE_SPACE_H

#include <stddef.h>
#include <stdint.h>

/* All of them fit into one frame. */
enum { FREE_RANGES_MAX = 2000 };

struct free_range {
  uint64_t start, length; /* in bytes */
};

struct free_space {
  uint64_t end; /* first byte that was not looked at */
  size_t count;
  struct free_range ranges[FREE_RANGES_MAX];
};

/* Free ranges of the device from `start` on, before `start + length`. Stops early if they do not fit. Returns errno, or 0. */
int free_space_find(const char *path, uint64_t start, uint64_t length, struct free_space *found);

#endif
