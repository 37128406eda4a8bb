#include "file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kernel.h"
#include "machine.h"

int block_size(const char *device, uint64_t *size) {
  int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno;
  struct stat status;
  int error = fstat(fd, &status) < 0 ? errno : 0;
  if (error == 0 && !S_ISBLK(status.st_mode)) error = ENOTBLK;
  if (error == 0 && ioctl(fd, KERNEL_BLKGETSIZE64, size) < 0) error = errno;
  close(fd);
  return error;
}

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

void file_system_checkpoint(const char *path) {
  uint32_t flags = 0;
  sync();
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  ioctl(fd, KERNEL_EXT4_CHECKPOINT, &flags);
  close(fd);
}
