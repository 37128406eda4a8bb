#include "beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* linux/openat2.h, which a musl installation does not see */
struct open_how {
  uint64_t flags, mode, resolve;
};
enum { NO_MAGICLINKS = 0x02, NO_SYMLINKS = 0x04, BENEATH = 0x08 };

static int open_folder(int from, const char *path, uint64_t resolve) {
  const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = NO_SYMLINKS | NO_MAGICLINKS | resolve};
  /* EAGAIN: something was being renamed while the path was followed. */
  for (int attempt = 0;; attempt++) {
    int fd = (int)syscall(SYS_openat2, from, *path == '\0' ? "." : path, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN || attempt == 64) return fd;
  }
}

int beneath(int from, const char *path, size_t length) {
  char copy[PATH_MAX];
  if (length >= sizeof copy) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(copy, path, length);
  copy[length] = '\0';
  return open_folder(from, copy, BENEATH);
}

int without_links(const char *path) { return open_folder(AT_FDCWD, path, 0); }

void remove_tree(int folder, const char *name) {
  if (unlinkat(folder, name, 0) == 0 || (errno != EISDIR && errno != EPERM)) return;
  int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (directory == NULL) {
    if (fd >= 0) close(fd);
    return;
  }
  for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) remove_tree(fd, entry->d_name);
  }
  closedir(directory);
  unlinkat(folder, name, AT_REMOVEDIR);
}
