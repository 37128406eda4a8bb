#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rights.h"

static bool same_owner(const struct stat *a, const struct stat *b) { return a->st_uid == b->st_uid && a->st_gid == b->st_gid; }

int owner_give(int parent, int fd) {
  struct stat above, own;
  if (rights_are_limited()) return 0;
  if (fstat(parent, &above) < 0 || fstat(fd, &own) < 0) return errno;
  if (same_owner(&above, &own)) return 0;
  return fchownat(fd, "", above.st_uid, above.st_gid, AT_EMPTY_PATH) < 0 ? errno : 0;
}

int owner_give_entry(int parent, int directory, const char *name) {
  struct stat above, own;
  if (rights_are_limited()) return 0;
  if (fstat(parent, &above) < 0 || fstatat(directory, name, &own, AT_SYMLINK_NOFOLLOW) < 0) return errno;
  if (same_owner(&above, &own)) return 0;
  return fchownat(directory, name, above.st_uid, above.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
}

int owner_make_directory(int parent, const char *name) {
  if (mkdirat(parent, name, 0755) < 0) return errno;
  /* By descriptor: a command may have put a link in its place meanwhile. */
  int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int error = fd < 0 ? errno : owner_give(parent, fd);
  if (fd >= 0) close(fd);
  if (error != 0) unlinkat(parent, name, AT_REMOVEDIR);
  return error;
}
