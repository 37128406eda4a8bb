#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_ROOM = 32 };

/* Directories that came up from below get names of this number on. */
struct top {
  int fd;
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

/* Calls `remove_one` for each entry, until a pass over the directory finds none. Takes the descriptor. */
static int each_entry(struct top *top, int fd, int (*remove_one)(struct top *top, int parent, const char *name)) {
  DIR *directory = fdopendir(fd);
  if (directory == NULL) {
    int error = errno;
    close(fd);
    return error;
  }
  int error = 0;
  for (bool found = true; found && error == 0; rewinddir(directory)) {
    found = false;
    for (struct dirent *entry; error == 0 && (errno = 0, entry = readdir(directory)) != NULL;) {
      if (is_dots(entry->d_name)) continue;
      found = true;
      if (unlinkat(dirfd(directory), entry->d_name, 0) < 0)
        error = errno == EISDIR ? remove_one(top, dirfd(directory), entry->d_name) : errno;
    }
    if (error == 0) error = errno;
  }
  closedir(directory);
  return error;
}

/* A directory of the top: its own directories move up first. So neither descriptors nor paths grow with the depth of a tree. */
static int remove_directory(struct top *top, int parent, const char *name) {
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = each_entry(top, fd, move_up);
  if (error == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0) error = errno;
  return error;
}

int path_clear(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return 0;
  if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) return unlink(path) == 0 ? 0 : errno;
  if (fd < 0) return errno;
  struct top top = {.fd = fd, .moved = 0};
  int walked = dup(fd), error = walked < 0 ? errno : each_entry(&top, walked, remove_directory);
  close(fd);
  return error;
}
