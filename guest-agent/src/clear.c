#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

enum {
  NAME_ROOM = 32,
  /* Levels that hold a descriptor each. */
  LEVELS_MAX = 256,
};

/* The tree that goes. Directories that came up from below get names of the number `moved` on. */
struct top {
  int fd;
  dev_t device;
  unsigned moved;
};

static bool is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/* Moves a directory up beneath the top. A name that is taken costs one attempt. */
static int move_up(struct top *top, int parent, const char *name) {
  char target[NAME_ROOM];
  for (;;) {
    snprintf(target, sizeof target, "pyro-%u", top->moved++);
    if (renameat(parent, name, top->fd, target) == 0) return 0;
    if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) return errno;
  }
}

static int clear(struct top *top, int fd, unsigned level);

static int remove_directory(struct top *top, int parent, const char *name, unsigned level) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return 0;
  if (errno != ENOTEMPTY && errno != EEXIST) return errno;
  /* So neither descriptors nor paths grow with the depth of a tree. */
  if (level >= LEVELS_MAX) return move_up(top, parent, name);
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = clear(top, fd, level + 1);
  if (error == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0) error = errno;
  return error;
}

/* Removes each entry, until a pass over the directory finds none. Takes the descriptor. */
static int clear(struct top *top, int fd, unsigned level) {
  struct stat status;
  int error = fstat(fd, &status) < 0 ? errno : status.st_dev != top->device ? EBUSY : 0;
  DIR *directory = error == 0 ? fdopendir(fd) : NULL;
  if (directory == NULL) {
    if (error == 0) error = errno;
    close(fd);
    return error;
  }
  for (bool found = true; found && error == 0; rewinddir(directory)) {
    found = false;
    for (struct dirent *entry; error == 0 && (errno = 0, entry = readdir(directory)) != NULL;) {
      if (is_dots(entry->d_name)) continue;
      found = true;
      if (unlinkat(dirfd(directory), entry->d_name, 0) < 0)
        error = errno == EISDIR ? remove_directory(top, dirfd(directory), entry->d_name, level) : errno;
      /* Another process removed it. */
      if (error == ENOENT) error = 0;
    }
    if (error == 0) error = errno;
  }
  closedir(directory);
  return error;
}

/* Clears the directory `fd`, which stays open. */
static int clear_all(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0) return errno;
  struct top top = {.fd = fd, .device = status.st_dev, .moved = 0};
  int walked = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return walked < 0 ? errno : clear(&top, walked, 0);
}

int path_clear(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return 0;
  if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) return unlink(path) == 0 ? 0 : errno;
  if (fd < 0) return errno;
  int error = clear_all(fd);
  close(fd);
  return error;
}

int remove_tree(int parent, const char *name) {
  struct stat above, own;
  if (unlinkat(parent, name, 0) == 0) return 0;
  if (errno != EISDIR) return errno;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = fstat(parent, &above) < 0 || fstat(fd, &own) < 0 ? errno : above.st_dev != own.st_dev ? EBUSY : clear_all(fd);
  close(fd);
  if (error == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0) error = errno;
  return error;
}
