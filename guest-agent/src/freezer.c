#include "freezer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Most groups that follow. A root that makes more harms its own copies alone: their programs run before they differ from their source. */
enum { FOLLOWERS_MAX = 256 };

static int top = -1;
static char own[PATH_MAX];

int freezer_start(const char *directory) {
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  snprintf(own, sizeof own, "%s/pyro/cgroup.freeze", directory);
  if (top >= 0) close(top);
  top = fd;
  return 0;
}

/* The guest's root may have mounted over the groups: what is no ordinary file of a group is left alone, and nothing is waited for. */
static void set(int directory, const char *name, struct bytes value) {
  int group = openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (group < 0) return;
  int fd = openat(group, "cgroup.freeze", O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  close(group);
  if (fd < 0) return;
  struct stat status;
  /* A group that ended meanwhile needs nothing. */
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && write(fd, value.data, value.size) < 0) errno = 0;
  close(fd);
}

void freezer_follow(const char *path, struct bytes value) {
  if (top < 0 || value.size == 0 || strcmp(path, own) != 0) return;
  int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *groups = fd < 0 ? NULL : fdopendir(fd);
  if (groups == NULL) {
    if (fd >= 0) close(fd);
    return;
  }
  const struct dirent *entry;
  for (int left = FOLLOWERS_MAX; left > 0 && (entry = readdir(groups)) != NULL;) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || strcmp(entry->d_name, "pyro") == 0) continue;
    set(top, entry->d_name, value);
    left--;
  }
  closedir(groups);
}
