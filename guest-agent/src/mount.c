#include "mount.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kernel.h"
#include "small_file.h"

static const char *or_null(const char *text) { return *text != '\0' ? text : NULL; }

int mount_at(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
  if (mount(source, target, or_null(type), flags, or_null(data)) == 0) return 0;
  if (errno != ENOENT) return errno;
  int error = make_directories(target, 0755);
  if (error != 0) return error;
  return mount(source, target, or_null(type), flags, or_null(data)) < 0 ? errno : 0;
}

int unmount_at(const char *target, int flags) { return umount2(target, flags) < 0 ? errno : 0; }

/* A directory of the new root, never through a link that a guest left in its place. */
static int open_target(int root, const char *name) {
  struct kernel_open_how how = {
      .flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
      .resolve = KERNEL_RESOLVE_NO_SYMLINKS | KERNEL_RESOLVE_BENEATH,
  };
  if (mkdirat(root, name, 0755) < 0 && errno != EEXIST && errno != EROFS) return -1;
  return (int)syscall(SYS_openat2, root, name, &how, sizeof how);
}

/* Moves a mount with the mounts below it. A directory without a mount is no error. */
static int move_along(int root, const char *path) {
  struct stat status, above;
  if (stat(path, &status) < 0 || stat("/", &above) < 0 || status.st_dev == above.st_dev) return 0;
  int target = open_target(root, path + 1);
  if (target < 0) return errno;
  int error = syscall(SYS_move_mount, AT_FDCWD, path, target, "", KERNEL_MOVE_MOUNT_T_EMPTY_PATH) < 0 ? errno : 0;
  close(target);
  return error;
}

/* Moves the mounts that every root needs into another root. */
static int move_all_along(int root, char *detail, size_t room) {
  static const char *const along[] = {"/proc", "/sys", "/dev", "/run"};
  for (size_t i = 0; i < sizeof along / sizeof *along; i++) {
    int error = move_along(root, along[i]);
    if (error == 0) continue;
    snprintf(detail, room, "moving %s", along[i]);
    return error;
  }
  return 0;
}

int switch_root(const char *path, char *detail, size_t room) {
  int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return errno;
  int error = move_all_along(root, detail, room);
  if (error == 0 && (fchdir(root) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)) {
    error = errno;
    snprintf(detail, room, "moving %s to /", path);
  }
  close(root);
  return error;
}

int visit_root(const char *path, char *detail, size_t room) {
  static int home = -1; /* the root to come back to, during a visit */
  bool leaving = *path == '\0';
  if (leaving != (home >= 0)) return leaving ? EINVAL : EBUSY;
  int before = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int root = leaving ? home : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int error = before < 0 || root < 0 ? errno : move_all_along(root, detail, room);
  if (error == 0 && (fchdir(root) < 0 || chroot(".") < 0)) error = errno;
  if (error == 0) home = leaving ? -1 : before;
  if (before >= 0 && home != before) close(before);
  if (root >= 0 && home != root) close(root);
  return error;
}
