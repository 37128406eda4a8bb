#include "beneath.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "baseline.h"
#include "kernel.h"
#include "layer.h"
#include "owner.h"

static const char *relative(const char *path) {
  while (*path == '/') path++;
  return *path == '\0' ? "." : path;
}

#define WORKSPACE_ROOT "/workspace"

/* In a VM. Elsewhere it is an ordinary directory. */
static bool workspace_is_mount;

void beneath_in_guest(void) { workspace_is_mount = true; }

/* Whether the guest's root has unmounted it: the directory beneath then says nothing about the workspace's files. */
static bool is_unmounted(int workspace) {
  struct stat own, above;
  return fstat(workspace, &own) == 0 && stat("/", &above) == 0 && own.st_dev == above.st_dev;
}

/* Minor numbers of one virtio disk. */
enum { MINORS = 16 };

/* The device of the workspace disk. The baseline is vdc, and the workspace vdb or what is mapped over it. */
static dev_t workspace_device(dev_t baseline) {
  dev_t layer = layer_device();
  return layer != 0 ? layer : makedev(major(baseline), minor(baseline) - MINORS);
}

bool is_covered(const char *root, int workspace, const char *other_root, int baseline) {
  struct stat own, seed;
  if (!workspace_is_mount || strcmp(root, WORKSPACE_ROOT) != 0 || strcmp(other_root, BASELINE_ROOT) != 0) return false;
  if (fstat(workspace, &own) < 0 || fstat(baseline, &seed) < 0) return true;
  /* Both disks began as one image, so the directory has one inode. */
  return own.st_ino != seed.st_ino || own.st_dev != workspace_device(seed.st_dev);
}

static int open_workspace(void) {
  int fd = open(WORKSPACE_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || !workspace_is_mount || !is_unmounted(fd)) return fd;
  close(fd);
  errno = ENODEV;
  return -1;
}

/* Where links and `..` may lead. A helper changes it for itself. */
static uint64_t scope = KERNEL_RESOLVE_BENEATH;

/* Whether a path of the guest's root names /workspace or something beneath it. */
static bool is_in_workspace(const char *root, const char *path) {
  size_t length = strlen(WORKSPACE_ROOT) - 1;
  path = relative(path);
  return *root == '/' && *relative(root) == '.' && strncmp(path, &WORKSPACE_ROOT[1], length) == 0 &&
         (path[length] == '\0' || path[length] == '/');
}

/* ext4 shows a damaged directory as empty, and counts the error on the disk, where the count stays. */
int damage_of_root(const char *root, const char *path) {
  char count = '0';
  if (!workspace_is_mount || (strcmp(root, WORKSPACE_ROOT) != 0 && !is_in_workspace(root, path))) return 0;
  int fd = open(layer_device() != 0 ? "/sys/fs/ext4/dm-0/errors_count" : "/sys/fs/ext4/vdb/errors_count", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  bool is_known = read(fd, &count, 1) == 1;
  close(fd);
  return is_known && count != '0' ? EUCLEAN : 0;
}

int open_root_of(const char *root, const char *path, bool in_root) {
  if (!in_root) return open_root(root);
  scope = KERNEL_RESOLVE_IN_ROOT;
  if (is_in_workspace(root, path)) {
    int workspace = open_workspace();
    if (workspace < 0 && errno == ENODEV) return -1;
    if (workspace >= 0) close(workspace);
  }
  return open_root(root);
}

int open_root(const char *root) {
  if (strcmp(root, WORKSPACE_ROOT) == 0) return open_workspace();
  if (strcmp(root, BASELINE_ROOT) != 0) return open(*root == '\0' ? "/" : root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int baseline = baseline_root();
  return baseline < 0 ? -1 : openat(baseline, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int open_beneath(int root, const char *path, int flags, mode_t mode, bool follow_links) {
  struct kernel_open_how how = {
      .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | ((flags & O_PATH) ? 0 : O_NONBLOCK | O_NOCTTY)),
      .mode = (flags & O_CREAT) ? mode : 0,
      .resolve = scope | KERNEL_RESOLVE_NO_MAGICLINKS | (follow_links ? 0 : KERNEL_RESOLVE_NO_SYMLINKS),
  };
  /* EAGAIN: the tree was being renamed while the path was followed. */
  for (int attempt = 0; attempt < 16; attempt++) {
    int fd = (int)syscall(SYS_openat2, root, relative(path), &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN) return fd;
  }
  return -1;
}

/* Makes each missing directory of `prefix`. */
static int make_beneath(int root, const char *prefix) {
  char path[PATH_MAX];
  size_t length = strlen(prefix);
  for (size_t end = 1; end <= length; end++) {
    if (end != length && prefix[end] != '/') continue;
    memcpy(path, prefix, end);
    path[end] = '\0';
    int fd = open_beneath(root, path, O_PATH | O_DIRECTORY, 0, true);
    if (fd < 0 && errno == ENOENT) {
      const char *name = NULL;
      int parent = open_parent_beneath(root, path, false, &name);
      if (parent < 0) return -1;
      int error = owner_make_directory(parent, name);
      close(parent);
      if (error != 0 && error != EEXIST) {
        errno = error;
        return -1;
      }
      fd = open_beneath(root, path, O_PATH | O_DIRECTORY, 0, true);
    }
    if (fd < 0) return -1;
    close(fd);
  }
  return 0;
}

int open_parent_beneath(int root, const char *path, bool make, const char **name) {
  path = relative(path);
  size_t length = strlen(path);
  if (length >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  const char *slash = strrchr(path, '/');
  *name = slash != NULL ? slash + 1 : path;
  if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) {
    errno = EISDIR;
    return -1;
  }
  if (slash == NULL) return open_beneath(root, ".", O_PATH | O_DIRECTORY, 0, true);
  char parent[PATH_MAX];
  memcpy(parent, path, (size_t)(slash - path));
  parent[slash - path] = '\0';
  if (make && make_beneath(root, parent) < 0) return -1;
  return open_beneath(root, parent, O_PATH | O_DIRECTORY, 0, true);
}

char *follow_beneath(int root, const char *path) {
  const char *name = NULL;
  int parent = open_parent_beneath(root, path, false, &name);
  if (parent < 0) return NULL;
  /* The part before the name stays unchanged: the kernel resolves it again, with a `..` after a link. */
  size_t before = (size_t)(name - path);
  char *target = malloc(before + PATH_MAX);
  if (target != NULL) {
    memcpy(target, path, before);
    ssize_t size = readlinkat(parent, name, target + before, PATH_MAX);
    bool is_absolute = size > 0 && target[before] == '/';
    int error = size < 0 ? errno : size == PATH_MAX ? ENAMETOOLONG : is_absolute && scope == KERNEL_RESOLVE_BENEATH ? EXDEV : 0;
    if (error == 0) {
      target[before + (size_t)size] = '\0';
      if (is_absolute) memmove(target, target + before, (size_t)size + 1);
    } else {
      free(target);
      target = NULL;
      errno = error;
    }
  }
  int error = errno;
  close(parent);
  errno = error;
  return target;
}
