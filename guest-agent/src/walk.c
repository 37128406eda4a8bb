#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "beneath.h"
#include "entry_record.h"
#include "feed.h"
#include "path.h"
#include "rights.h"
#include "task.h"

enum {
  /* Each level holds a descriptor; a deeper tree is refused rather than cut. */
  DEPTH_MAX = 1024,
  /* XATTR_LIST_MAX of the kernel. */
  ATTRIBUTE_NAMES_MAX = 65536,
};

struct plan {
  char *root, *path, *user;
  uint32_t max_depth, flags;
};

struct walker {
  const struct plan *plan;
  struct task_report *report;
  dev_t device;
  struct path path;
};

/* Whether a file or directory has extended attributes that no export keeps. The guest's own labels do not count. */
static bool has_attributes(int folder, const char *name, const struct stat *status) {
  static const char *const prefixes[] = {"user.", "system.posix_acl_", "security.capability"};
  static char names[ATTRIBUTE_NAMES_MAX];
  if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode)) return false;
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return false;
  ssize_t bytes = flistxattr(fd, names, sizeof names);
  close(fd);
  for (ssize_t at = 0; at < bytes; at += (ssize_t)strnlen(names + at, (size_t)(bytes - at)) + 1)
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
      if (strncmp(names + at, prefixes[i], strlen(prefixes[i])) == 0) return true;
  return false;
}

static int put_record(struct walker *walker, const struct stat *status, uint32_t more_mode, const char *link, size_t link_size) {
  struct text path = {walker->path.text, walker->path.size}, target = {link, link_size};
  int error = entry_record_put(status, more_mode, path, target);
  return error == 0 ? 0 : task_failed(walker->report, error, STEP_IO, "pipe");
}

static int fail(struct walker *walker, int error, enum step step) {
  char detail[DETAIL_MAX];
  path_copy(&walker->path, detail, sizeof detail);
  return task_failed(walker->report, error, step, detail);
}

static int walk_directory(struct walker *walker, int fd, unsigned depth);

/* One entry of the directory `fd`. A vanished entry is skipped. */
static int visit(struct walker *walker, int fd, const char *name, unsigned depth) {
  struct stat status;
  char link[PATH_MAX];
  ssize_t link_size = 0;
  if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : fail(walker, errno, STEP_IO);
  if (S_ISLNK(status.st_mode)) link_size = readlinkat(fd, name, link, sizeof link);
  if (link_size < 0) return errno == ENOENT || errno == EINVAL ? 0 : fail(walker, errno, STEP_IO);
  bool has = (walker->plan->flags & WALK_ATTRIBUTES) != 0 && has_attributes(fd, name, &status);
  int error = put_record(walker, &status, has ? MODE_ATTRIBUTES : 0, link, (size_t)link_size);
  if (error != 0 || !S_ISDIR(status.st_mode)) return error;
  if (walker->plan->max_depth != 0 && depth >= walker->plan->max_depth) return 0;
  if ((walker->plan->flags & WALK_ONE_FILE_SYSTEM) && status.st_dev != walker->device) return 0;
  if (depth >= DEPTH_MAX) return fail(walker, ENAMETOOLONG, STEP_LIMIT);
  int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (child < 0) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : fail(walker, errno, STEP_IO);
  return walk_directory(walker, child, depth + 1);
}

/* Takes ownership of `fd`. */
static int walk_directory(struct walker *walker, int fd, unsigned depth) {
  DIR *directory = fdopendir(fd);
  if (directory == NULL) {
    close(fd);
    return fail(walker, errno, STEP_IO);
  }
  int error = 0;
  while (error == 0) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (entry == NULL) {
      if (errno != 0) error = fail(walker, errno, STEP_IO);
      break;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    size_t before = path_enter(&walker->path, entry->d_name);
    if (before == SIZE_MAX) {
      error = fail(walker, ENOMEM, STEP_LIMIT);
      break;
    }
    error = visit(walker, dirfd(directory), entry->d_name, depth);
    walker->path.size = before;
  }
  closedir(directory);
  return error;
}

static int body(const void *request, struct task_report *report) {
  static struct walker walker;
  const struct plan *plan = request;
  walker.plan = plan;
  walker.report = report;
  int error = rights_take(plan->user);
  if (error != 0) return task_failed(report, error, STEP_USER, plan->user);
  int root = open_root_of(plan->root, plan->path, (plan->flags & WALK_IN_ROOT) != 0);
  if (root < 0) return task_failed(report, errno, STEP_OPEN, plan->root);
  int fd = open_beneath(root, plan->path, O_RDONLY | O_DIRECTORY, 0, true);
  if (fd < 0) return task_failed(report, errno, STEP_OPEN, plan->path);
  struct stat status;
  if (fstat(fd, &status) < 0) return task_failed(report, errno, STEP_OPEN, plan->path);
  walker.device = status.st_dev;
  error = walk_directory(&walker, fd, 1);
  if (error != 0) return error;
  error = damage_of_root(plan->root, plan->path);
  if (error != 0) return task_failed(report, error, STEP_IO, plan->root);
  error = feed_flush();
  return error == 0 ? 0 : task_failed(report, error, STEP_IO, "pipe");
}

void walk(struct stream *stream, const struct walk_request *request) {
  struct plan plan = {copy_str(request->root), copy_str(request->path), copy_str(request->user), request->max_depth, request->flags};
  if (plan.root == NULL || plan.path == NULL || plan.user == NULL)
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  else
    task_start(stream, body, &plan, false);
  free(plan.root);
  free(plan.path);
  free(plan.user);
}
