#include "small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_directory(const char *path, mode_t mode) {
  if (mkdir(path, mode) == 0) return chmod(path, mode) < 0 ? errno : 0; /* independent of the umask */
  int error = errno;
  struct stat status;
  if (error == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return 0;
  return error;
}

int make_directories(const char *path, mode_t mode) {
  char *copy = strdup(path);
  if (copy == NULL) return ENOMEM;
  int error = *path == '\0' ? ENOENT : 0;
  for (char *at = copy + 1; error == 0 && *copy != '\0' && (at = strchr(at, '/')) != NULL; at++) {
    *at = '\0';
    error = make_directory(copy, 0755);
    *at = '/';
  }
  size_t length = strlen(copy);
  if (error == 0 && length > 0 && copy[length - 1] != '/') error = make_directory(copy, mode);
  free(copy);
  return error;
}

static int open_regular(const char *path, mode_t mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode);
  if (fd < 0) return -1;
  struct stat status;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
  close(fd);
  errno = EINVAL;
  return -1;
}

static int open_replacing(const char *path, mode_t mode) {
  int fd = open_regular(path, mode);
  struct stat status;
  if (fd >= 0 || lstat(path, &status) < 0) return fd;
  if (!S_ISLNK(status.st_mode) && !S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode)) return fd;
  return unlink(path) < 0 ? -1 : open_regular(path, mode);
}

int write_small_file(const char *path, mode_t mode, struct bytes content) {
  int fd = open_replacing(path, mode), error = 0;
  if (fd < 0) return errno;
  /* Files of /proc and /sys refuse both, and need neither. */
  if (fchmod(fd, mode) < 0 && errno != EPERM && errno != EROFS) error = errno;
  if (error == 0 && ftruncate(fd, 0) < 0 && errno != EINVAL && errno != EPERM) error = errno;
  size_t written = 0;
  while (error == 0 && written < content.size) {
    ssize_t count = write(fd, content.data + written, content.size - written);
    if (count < 0) error = errno;
    if (count == 0) error = EIO;
    if (count > 0) written += (size_t)count;
  }
  close(fd);
  return error;
}

int write_all(int fd, const void *data, size_t size) {
  const char *rest = data;
  while (size > 0) {
    ssize_t count = write(fd, rest, size);
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) {
      rest += count;
      size -= (size_t)count;
    }
  }
  return 0;
}
