#include "file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kernel.h"
#include "machine.h"

enum { NFTW_DESCRIPTORS = 64 };

int file_system_grow(const char *path, const char *device) {
  struct statvfs status;
  uint64_t bytes = 0;
  int error = block_size(device, &bytes);
  if (error != 0) return error;
  if (statvfs(path, &status) < 0) return errno;
  uint64_t blocks = bytes / status.f_frsize;
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  error = ioctl(fd, KERNEL_EXT4_RESIZE, &blocks) < 0 ? errno : 0;
  close(fd);
  return error;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  bool is_kept = walk->level == 0 && type == FTW_DP;
  return is_kept || remove(path) == 0 ? 0 : errno;
}

int path_clear(const char *path) {
  int error = nftw(path, remove_entry, NFTW_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  if (error < 0) return errno == ENOENT ? 0 : errno;
  return error;
}
