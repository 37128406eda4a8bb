#include "watch_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "draft.h"
#include "feed.h"
#include "watched.h"
#include "wire.h"

enum {
  MASK = IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
         IN_EXCL_UNLINK,
  /* Each level holds a descriptor. */
  DEPTH_MAX = 512,
};

int watch_tell(uint8_t what, bool is_directory, const char *path, const char *old) {
  uint8_t head[10];
  size_t size = strlen(path), old_size = strlen(old);
  uint8_t *at = big_endian(head, 2 + 4 + size + 4 + old_size, 4);
  *at++ = what;
  *at++ = is_directory;
  big_endian(at, size, 4);
  int error = feed_put(head, sizeof head);
  if (error == 0) error = feed_put(path, size);
  big_endian(head, old_size, 4);
  if (error == 0) error = feed_put(head, 4);
  return error == 0 ? feed_put(old, old_size) : error;
}

bool watch_join(char to[WATCH_PATH], const char *folder, const char *name) {
  size_t above = strlen(folder), size = strlen(name);
  if (above + 1 + size >= WATCH_PATH) return false;
  if (to != folder) memcpy(to, folder, above + 1);
  if (above > 0) to[above++] = '/';
  memcpy(to + above, name, size + 1);
  return true;
}

/* Once for each look: a tree may have any number of them. */
static int tell_unwatched(struct watch *watch, const char *path) {
  if (watch->told_unwatched) return 0;
  watch->told_unwatched = true;
  return watch_tell(WATCH_UNWATCHED, true, path, "");
}

/* 0, or errno. The kernel has no call that takes a descriptor, and /proc may be absent. */
static int add_one(const struct watch *watch, int fd, const char *path) {
  if (fchdir(fd) < 0) return errno;
  int descriptor = inotify_add_watch(watch->inotify, ".", MASK);
  if (descriptor < 0) return errno;
  int error = watched_add(descriptor, path);
  if (error != 0) inotify_rm_watch(watch->inotify, descriptor);
  return error;
}

static int look(struct watch *watch, int fd, char path[WATCH_PATH], unsigned depth, bool told);

static int look_at(struct watch *watch, DIR *directory, const struct dirent *entry, char path[WATCH_PATH], unsigned depth, bool told) {
  struct stat status;
  if (draft_of(entry->d_name) != DRAFT_NONE) return 0;
  bool is_directory = entry->d_type == DT_DIR;
  if (entry->d_type == DT_UNKNOWN && fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    is_directory = S_ISDIR(status.st_mode);
  if (!told && !is_directory) return 0;
  size_t above = strlen(path);
  if (!watch_join(path, path, entry->d_name)) return tell_unwatched(watch, path);
  int error = told ? watch_tell(WATCH_CREATED, is_directory, path, "") : 0;
  if (error == 0 && is_directory && watch->recursive) {
    int child = openat(dirfd(directory), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (child >= 0)
      error = look(watch, child, path, depth + 1, told);
    else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
      error = tell_unwatched(watch, path);
  }
  path[above] = '\0';
  return error;
}

/* Takes ownership of `fd`. The watch comes first, so that nothing is missed. */
static int look(struct watch *watch, int fd, char path[WATCH_PATH], unsigned depth, bool told) {
  struct stat status;
  int error = fstat(fd, &status) < 0 ? errno : 0;
  bool is_foreign = error == 0 && status.st_dev != watch->device;
  if (error == 0 && !is_foreign) error = depth < DEPTH_MAX ? add_one(watch, fd, path) : ENAMETOOLONG;
  if (error != 0 || is_foreign) {
    close(fd);
    return error == 0 ? 0 : depth == 0 && *path == '\0' ? error : tell_unwatched(watch, path);
  }
  if (!watch->recursive && !told) {
    close(fd);
    return 0;
  }
  DIR *directory = fdopendir(fd);
  if (directory == NULL) {
    close(fd);
    return errno;
  }
  for (const struct dirent *entry; error == 0 && (entry = readdir(directory)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) error = look_at(watch, directory, entry, path, depth, told);
  closedir(directory);
  return error;
}

/* -1 with errno. */
static int open_watched(struct watch *watch) {
  struct stat status;
  int fd = open_beneath(watch->root, watch->path, O_RDONLY | O_DIRECTORY, 0, true);
  if (fd < 0 || fstat(fd, &status) < 0) return -1;
  if (watch->inode == 0) {
    watch->device = status.st_dev;
    watch->inode = status.st_ino;
  }
  if (status.st_dev == watch->device && status.st_ino == watch->inode) return fd;
  close(fd);
  errno = ESTALE;
  return -1;
}

int watch_add(struct watch *watch, const char *path, bool told) {
  char own[WATCH_PATH];
  if (strlen(path) >= sizeof own) return ENAMETOOLONG;
  memcpy(own, path, strlen(path) + 1);
  bool is_known = watch->inode != 0;
  int folder = open_watched(watch);
  if (folder < 0) return is_known ? ESTALE : errno;
  int fd = *path == '\0' ? folder : open_beneath(folder, path, O_RDONLY | O_DIRECTORY, 0, false);
  if (fd != folder) close(folder);
  int error = 0;
  if (fd >= 0)
    error = look(watch, fd, own, 0, told);
  else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
    error = tell_unwatched(watch, path);
  /* The working directory holds a directory as a descriptor does. */
  return fchdir(watch->root) < 0 && error == 0 ? errno : error;
}
