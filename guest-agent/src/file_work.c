#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "copy_tree.h"
#include "draft.h"
#include "entry_record.h"
#include "feed.h"
#include "kernel.h"
#include "owner.h"
#include "remove_tree.h"
#include "rights.h"
#include "task.h"

#define KERNEL_RENAME_NOREPLACE 1u
/* As many as the kernel follows. */
enum { LINKS_MAX = 40 };

struct plan {
  char *root, *path, *target, *user;
  uint32_t mode, flags;
  uint8_t op;
};

/* An entry of an open directory. */
struct place {
  int parent;
  const char *name;
};

static int place_of(int root, const char *path, bool make, struct place *place) {
  place->parent = open_parent_beneath(root, path, make, &place->name);
  return place->parent < 0 ? errno : 0;
}

static int look(int root, const struct plan *plan) {
  static char link[PATH_MAX];
  struct stat status;
  int fd = open_beneath(root, plan->path, O_PATH | (plan->flags & FILE_FOLLOW ? 0 : O_NOFOLLOW), 0, true);
  if (fd < 0 || fstat(fd, &status) < 0) return errno;
  ssize_t size = S_ISLNK(status.st_mode) ? readlinkat(fd, "", link, sizeof link) : 0;
  if (size < 0) return errno;
  int error = entry_record_put(&status, 0, (struct text){"", 0}, (struct text){link, (size_t)size});
  return error == 0 ? feed_flush() : error;
}

static int make_directory(int root, const struct plan *plan) {
  struct place place;
  int error = place_of(root, plan->path, (plan->flags & FILE_PARENTS) != 0, &place);
  if (error == 0) error = owner_make_directory(place.parent, place.name);
  if (error != 0 || plan->mode == 0) return error;
  int fd = openat(place.parent, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return fd < 0 || fchmod(fd, plan->mode & 07777) < 0 ? errno : 0;
}

static int remove_entry(int root, const struct plan *plan) {
  struct place place;
  int error = place_of(root, plan->path, false, &place);
  if (error != 0) return error;
  if (plan->flags & FILE_RECURSIVE) return remove_tree(place.parent, place.name);
  if (unlinkat(place.parent, place.name, 0) == 0) return 0;
  return errno == EISDIR && unlinkat(place.parent, place.name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

static int move(const struct place *from, const struct place *to, const struct plan *plan) {
  unsigned how = plan->flags & FILE_REPLACE ? 0 : KERNEL_RENAME_NOREPLACE;
  return syscall(SYS_renameat2, from->parent, from->name, to->parent, to->name, how) < 0 ? errno : 0;
}

static int rename_entry(int root, const struct plan *plan) {
  struct place from, to;
  int error = place_of(root, plan->path, false, &from);
  /* No directory is made for nothing. */
  struct stat status;
  if (error == 0 && fstatat(from.parent, from.name, &status, AT_SYMLINK_NOFOLLOW) < 0) error = errno;
  if (error == 0) error = place_of(root, plan->target, (plan->flags & FILE_PARENTS) != 0, &to);
  return error == 0 ? move(&from, &to, plan) : error;
}

static int tell_copied(const struct copied *copied) {
  uint8_t record[24];
  big_endian(big_endian(big_endian(record, copied->entries, 8), copied->bytes, 8), copied->skipped, 8);
  int error = feed_put(record, sizeof record);
  return error == 0 ? feed_flush() : error;
}

/* Copies to a draft beside the target, and gives it the target's name at the end: whole or not at all. */
static int copy(int root, const struct plan *plan) {
  struct place to;
  struct copied copied;
  struct stat status;
  char draft[DRAFT_NAME];
  /* Looks before it opens: the opening of a device may do something. */
  int from = open_beneath(root, plan->path, O_PATH, 0, true);
  if (from < 0 || fstat(from, &status) < 0) return errno;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return EINVAL;
  close(from);
  from = open_beneath(root, plan->path, O_RDONLY, 0, true);
  if (from < 0) return errno;
  int error = place_of(root, plan->target, (plan->flags & FILE_PARENTS) != 0, &to);
  if (error != 0) return error;
  bool is_there = fstatat(to.parent, to.name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && !(plan->flags & FILE_REPLACE)) return EEXIST;
  error = draft_name(draft, is_there);
  if (error != 0) return error;
  error = copy_tree(from, to.parent, draft, &copied);
  if (error == 0) error = move(&(struct place){to.parent, draft}, &to, plan);
  if (error != 0) remove_tree(to.parent, draft);
  return error == 0 ? tell_copied(&copied) : error;
}

static int change_mode(int root, const struct plan *plan) {
  const char *path = plan->path;
  for (int links = 0; links <= LINKS_MAX; links++) {
    struct place place;
    struct stat status;
    int error = place_of(root, path, false, &place);
    if (error == 0 && fstatat(place.parent, place.name, &status, AT_SYMLINK_NOFOLLOW) < 0) error = errno;
    if (error != 0) return error;
    if (!S_ISLNK(status.st_mode)) return fchmodat(place.parent, place.name, plan->mode & 07777, 0) < 0 ? errno : 0;
    close(place.parent);
    path = follow_beneath(root, path);
    if (path == NULL) return errno;
  }
  return ELOOP;
}

static int work(int root, const struct plan *plan) {
  switch (plan->op) {
    case FILE_STAT: return look(root, plan);
    case FILE_MKDIR: return make_directory(root, plan);
    case FILE_REMOVE: return remove_entry(root, plan);
    case FILE_RENAME: return rename_entry(root, plan);
    case FILE_COPY: return copy(root, plan);
    default: return change_mode(root, plan);
  }
}

/* A release ends the helper, but for a copy, which looks for the signal and removes its draft. */
static void let_end(void) {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  signal(SIGTERM, SIG_DFL);
  sigprocmask(SIG_UNBLOCK, &end, NULL);
}

static int body(const void *request, struct task_report *report) {
  const struct plan *plan = request;
  if (plan->op != FILE_COPY) let_end();
  int error = rights_take(plan->user);
  if (error != 0) return task_failed(report, error, STEP_USER, plan->user);
  int root = open_root_of(plan->root, plan->path, (plan->flags & FILE_IN_ROOT) != 0);
  if (root < 0) return task_failed(report, errno, STEP_OPEN, plan->root);
  error = work(root, plan);
  return error != 0 ? task_failed(report, error, STEP_IO, plan->path) : 0;
}

void file_work(struct stream *stream, const struct file_request *request) {
  struct plan plan = {.root = copy_str(request->root),
                      .path = copy_str(request->path),
                      .target = copy_str(request->target),
                      .user = copy_str(request->user),
                      .mode = request->mode,
                      .flags = request->flags,
                      .op = request->op};
  if (plan.root == NULL || plan.path == NULL || plan.target == NULL || plan.user == NULL)
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  else
    task_start(stream, body, &plan, false);
  free(plan.root);
  free(plan.path);
  free(plan.target);
  free(plan.user);
}
