#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "draft.h"
#include "kernel.h"
#include "owner.h"
#include "rights.h"
#include "small_file.h"
#include "task.h"
#include "version.h"

enum { PIECE = 64 * 1024, PIPE_SIZE = 1024 * 1024 };
#define KERNEL_RENAME_NOREPLACE 1u
/* As many as the kernel follows. */
enum { LINKS_MAX = 40 };

struct plan {
  char *root, *path, *user;
  uint32_t mode;
  uint8_t flags;
  uint64_t expected;
};

/* The draft of the file, beside its final place, under a temporary name. */
struct draft {
  int parent, fd;
  const char *name;
  char temporary[DRAFT_NAME];
  struct stat old; /* of the replaced file; st_nlink 0 = none */
  struct stat own; /* of the draft with its complete content */
};

/* For files that cannot be spliced to, as one that is open for appending. */
static int copy_rest(int fd) {
  static char piece[PIECE];
  for (;;) {
    ssize_t count = read(STDIN_FILENO, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    int error = write_all(fd, piece, (size_t)count);
    if (error != 0) return error;
  }
}

/* Without a copy in this process. */
static int copy_input(int fd) {
  for (bool is_first = true;; is_first = false) {
    ssize_t count = splice(STDIN_FILENO, NULL, fd, NULL, PIPE_SIZE, SPLICE_F_MOVE);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EINVAL) return copy_rest(fd);
    if (count < 0) return errno;
    if (count == 0) return 0;
    /* A file of more bytes than one frame: fewer switches between the agent and this process. */
    if (is_first) fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE_SIZE);
  }
}

/* A free place, or a regular file. Links are not followed and not replaced. */
static int look_at_old(struct draft *draft, uint8_t flags) {
  if (fstatat(draft->parent, draft->name, &draft->old, AT_SYMLINK_NOFOLLOW) < 0) {
    draft->old.st_nlink = 0;
    return errno == ENOENT ? 0 : errno;
  }
  if (flags & WRITE_EXCLUSIVE) return EEXIST;
  if (S_ISLNK(draft->old.st_mode)) return ELOOP;
  if (S_ISDIR(draft->old.st_mode)) return EISDIR;
  return S_ISREG(draft->old.st_mode) ? 0 : EINVAL;
}

/* Whether the present file has the expected version: 0, or ESTALE. */
static int check_expected(const struct draft *draft, const struct plan *plan) {
  uint64_t expected = plan->flags & WRITE_AT_TIME ? 0 : plan->expected;
  if (expected == 0) return 0;
  if (draft->old.st_nlink == 0) return ESTALE;
  int fd = openat(draft->parent, draft->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT || errno == ELOOP ? ESTALE : errno;
  struct stat status;
  int error = fstat(fd, &status) < 0 ? errno : version_of(fd, &status) == expected ? 0 : ESTALE;
  close(fd);
  return error;
}

static int tell(int fd, const struct draft *draft) {
  struct stat status;
  if (fstat(fd, &status) < 0) return errno;
  /* A process that wrote into the file after the rename has made another version than the reported one. */
  status.st_size = draft->own.st_size;
  status.st_mtim = draft->own.st_mtim;
  uint8_t record[FILE_RECORD];
  version_record(record, draft->old.st_nlink == 0 ? FILE_CREATED : 0, &status, version_of(fd, &status));
  return write_all(STDOUT_FILENO, record, sizeof record);
}

static mode_t mode_for(const struct draft *draft, uint32_t mode) {
  if (mode != 0) return mode & 07777;
  return draft->old.st_nlink > 0 ? draft->old.st_mode & 07777 : 0644;
}

static int open_draft(struct draft *draft) {
  int error = draft_name(draft->temporary, draft->old.st_nlink > 0);
  if (error != 0) return error;
  draft->fd = openat(draft->parent, draft->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  return draft->fd < 0 ? errno : 0;
}

static int set_time(int fd, int64_t ns) {
  int64_t second = 1000000000, part = ns % second;
  if (part < 0) part += second;
  return futimens(fd, (struct timespec[2]){{.tv_nsec = UTIME_OMIT}, {(ns - part) / second, part}});
}

/* Gives the draft its owner, mode and name. One writer at a time, so one of two writers with the same expected version is refused. */
static int publish(struct draft *draft, const struct plan *plan) {
  if (fstat(draft->fd, &draft->own) < 0) return errno;
  /* A later change must not leave the reported times. */
  if (plan->flags & WRITE_TELL) version_settle(draft->own.st_mtim);
  int error = task_alone();
  if (error == 0) error = look_at_old(draft, plan->flags);
  if (error == 0) error = check_expected(draft, plan);
  if (error != 0) return error;
  if (draft->old.st_nlink == 0)
    error = owner_give(draft->parent, draft->fd);
  else if (!rights_are_limited() && fchown(draft->fd, draft->old.st_uid, draft->old.st_gid) < 0)
    error = errno;
  if (error != 0) return error;
  if (fchmod(draft->fd, mode_for(draft, plan->mode)) < 0) return errno;
  if (plan->flags & WRITE_AT_TIME && set_time(draft->fd, (int64_t)plan->expected) < 0) return errno;
  unsigned how = plan->flags & WRITE_EXCLUSIVE ? KERNEL_RENAME_NOREPLACE : 0;
  long done = syscall(SYS_renameat2, draft->parent, draft->temporary, draft->parent, draft->name, how);
  return done < 0 ? errno : 0;
}

static int replace(struct draft *draft, const struct plan *plan, struct task_report *report) {
  int error = open_draft(draft);
  if (error != 0) return task_failed(report, error, STEP_OPEN, plan->path);
  error = copy_input(draft->fd);
  /* The input ended because the stream was released: nothing happens. */
  if (error == 0 && !report->go_on) error = ECANCELED;
  if (error == 0) error = publish(draft, plan);
  if (error != 0) unlinkat(draft->parent, draft->temporary, 0);
  if (error == 0 && plan->flags & WRITE_TELL) error = tell(draft->fd, draft);
  return error != 0 ? task_failed(report, error, STEP_IO, plan->path) : 0;
}

static int append(struct draft *draft, const struct plan *plan, struct task_report *report) {
  int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int fd = openat(draft->parent, draft->name, flags, mode_for(draft, plan->mode));
  if (fd < 0) return task_failed(report, errno, STEP_OPEN, plan->path);
  struct stat status;
  if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) return task_failed(report, EINVAL, STEP_OPEN, plan->path);
  int error = draft->old.st_nlink == 0 ? owner_give(draft->parent, fd) : 0;
  /* An old file, and the umask, do not take the mode of the open. */
  if (error == 0 && (plan->mode != 0 || draft->old.st_nlink == 0) && fchmod(fd, mode_for(draft, plan->mode)) < 0) error = errno;
  if (error == 0) error = copy_input(fd);
  if (error == 0 && fstat(fd, &draft->own) < 0) error = errno;
  if (error == 0 && plan->flags & WRITE_TELL) error = tell(fd, draft);
  return error != 0 ? task_failed(report, error, STEP_IO, plan->path) : 0;
}

/* Opens the directory of the file, or (WRITE_FOLLOW) of its link's target. The helper's end frees the paths. */
static int open_place(int root, const struct plan *plan, struct draft *draft) {
  const char *path = plan->path;
  for (int links = 0; links <= LINKS_MAX; links++) {
    draft->parent = open_parent_beneath(root, path, (plan->flags & WRITE_PARENTS) != 0, &draft->name);
    if (draft->parent < 0) return errno;
    int error = look_at_old(draft, plan->flags);
    if (error != ELOOP || !(plan->flags & WRITE_FOLLOW)) return error;
    close(draft->parent);
    path = follow_beneath(root, path);
    if (path == NULL) return errno;
  }
  return ELOOP;
}

static int body(const void *request, struct task_report *report) {
  const struct plan *plan = request;
  struct draft draft = {.fd = -1};
  int error = rights_take(plan->user);
  if (error != 0) return task_failed(report, error, STEP_USER, plan->user);
  int root = open_root_of(plan->root, plan->path, (plan->flags & WRITE_IN_ROOT) != 0);
  if (root < 0) return task_failed(report, errno, STEP_OPEN, plan->root);
  error = open_place(root, plan, &draft);
  if (error == 0) error = check_expected(&draft, plan);
  if (error != 0) return task_failed(report, error, STEP_OPEN, plan->path);
  return plan->flags & WRITE_APPEND ? append(&draft, plan, report) : replace(&draft, plan, report);
}

void write_file(struct stream *stream, const struct write_request *request) {
  struct plan plan = {copy_str(request->root), copy_str(request->path), copy_str(request->user),
                      request->mode,           request->flags,          request->expected};
  if (plan.root == NULL || plan.path == NULL || plan.user == NULL)
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  else
    task_start(stream, body, &plan, true);
  free(plan.root);
  free(plan.path);
  free(plan.user);
}
