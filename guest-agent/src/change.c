#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "change_plan.h"
#include "kernel.h"
#include "owner.h"
#include "stage.h"
#include "task.h"

#define KERNEL_RENAME_NOREPLACE 1u

enum { DEPTH_MAX = 256 };

/* One completed step. A later failure undoes it. */
struct done {
  enum { DONE_TAKEN, DONE_PLACED, DONE_MODE, DONE_MADE, DONE_CLEARED } what;
  uint32_t number; /* TAKEN, PLACED: in the stage; MODE: of the change that took the file */
  char *path;      /* owned for a directory: MADE, CLEARED */
  struct stat status;
};

struct job {
  int root;
  struct stage stage;
  struct changes changes;
  struct done *done;
  size_t done_count, done_room;
  const char *at_fault; /* path of the step that failed */
};

/* The directory of `path` beneath the root, reached without any link; -1 with errno. */
static int open_parent(const struct job *job, const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  *name = slash != NULL ? slash + 1 : path;
  if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) {
    errno = EINVAL;
    return -1;
  }
  char parent[PATH_MAX] = ".";
  if (slash != NULL) {
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
  }
  return open_beneath(job->root, parent, O_PATH | O_DIRECTORY, 0, false);
}

/* Makes room for one more entry before its step. */
static int reserve(struct job *job) {
  if (job->done_count < job->done_room) return 0;
  size_t room = job->done_room == 0 ? 64 : 2 * job->done_room;
  struct done *done = realloc(job->done, room * sizeof *done);
  if (done == NULL) return ENOMEM;
  job->done = done;
  job->done_room = room;
  return 0;
}

static int move(int from, const char *old, int to, const char *name) {
  return syscall(SYS_renameat2, from, old, to, name, KERNEL_RENAME_NOREPLACE) < 0 ? errno : 0;
}

static uint64_t ns_of(struct timespec time) { return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec; }

static int check_seen(const struct stat *status, const struct seen *seen) {
  if (S_ISDIR(status->st_mode)) return EISDIR;
  return status->st_ino == seen->ino && (uint64_t)status->st_size == seen->size && ns_of(status->st_mtim) == seen->mtime_ns &&
                 ns_of(status->st_ctim) == seen->ctime_ns
             ? 0
             : ESTALE;
}

static int take_away(struct job *job, uint32_t number) {
  struct change *change = &job->changes.items[number - 1];
  const char *name = NULL;
  char staged[STAGED_NAME_MAX];
  change_staged_name(staged, number);
  int error = reserve(job);
  if (error != 0) return error;
  int parent = open_parent(job, change->path, &name);
  if (parent < 0) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? ESTALE : errno;
  if (fstatat(parent, name, &change->status, AT_SYMLINK_NOFOLLOW) < 0) error = errno == ENOENT ? ESTALE : errno;
  if (error == 0) error = check_seen(&change->status, &change->seen);
  if (error == 0) error = stage_note(&job->stage, number, change->path);
  if (error == 0) error = move(parent, name, job->stage.fd, staged);
  if (error == 0) job->done[job->done_count++] = (struct done){.what = DONE_TAKEN, .number = number, .path = change->path};
  close(parent);
  return error;
}

/* Makes each missing directory of `path`. */
static int make_parents(struct job *job, const char *path) {
  char part[PATH_MAX];
  for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    memcpy(part, path, (size_t)(slash - path));
    part[slash - path] = '\0';
    int fd = open_beneath(job->root, part, O_PATH | O_DIRECTORY, 0, false);
    if (fd >= 0) {
      close(fd);
      continue;
    }
    if (errno != ENOENT) return errno;
    int error = reserve(job);
    if (error != 0) return error;
    const char *name = NULL;
    int parent = open_parent(job, part, &name);
    if (parent < 0) return errno;
    char *copy = strdup(part);
    if (copy == NULL) error = ENOMEM;
    if (error == 0) error = owner_make_directory(parent, name);
    close(parent);
    if (error != 0) {
      free(copy);
      return error;
    }
    job->done[job->done_count++] = (struct done){.what = DONE_MADE, .path = copy};
  }
  return 0;
}

/* Removes a directory in which there are only directories. */
static int clear(struct job *job, const char *path, unsigned depth) {
  if (depth > DEPTH_MAX) return ENAMETOOLONG;
  int fd = open_beneath(job->root, path, O_RDONLY | O_DIRECTORY, 0, false);
  if (fd < 0) return errno;
  struct stat status;
  DIR *directory = fstat(fd, &status) == 0 ? fdopendir(fd) : NULL;
  if (directory == NULL) {
    int error = errno;
    close(fd);
    return error;
  }
  int error = 0;
  const struct dirent *entry;
  while (error == 0 && (entry = readdir(directory)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char below[PATH_MAX];
    int size = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    error = size < 0 || size >= PATH_MAX ? ENAMETOOLONG : clear(job, below, depth + 1);
    if (error == ENOTDIR || error == ELOOP) error = ENOTEMPTY;
  }
  closedir(directory);
  if (error == 0) error = reserve(job);
  if (error != 0) return error;
  const char *name = NULL;
  int parent = open_parent(job, path, &name);
  if (parent < 0) return errno;
  char *copy = strdup(path);
  if (copy == NULL) error = ENOMEM;
  if (error == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0) error = errno;
  close(parent);
  if (error != 0)
    free(copy);
  else
    job->done[job->done_count++] = (struct done){.what = DONE_CLEARED, .path = copy, .status = status};
  return error;
}

/* Gives a staged file its mode, and the owner of the file that it replaces. */
static int dress(struct job *job, const struct change *change, const char *staged) {
  const struct change *taken = change->taken == 0 ? NULL : &job->changes.items[change->taken - 1];
  if (change->kind == CHANGE_LINK) return 0;
  mode_t mode = change->mode != 0 ? change->mode : taken != NULL && S_ISREG(taken->status.st_mode) ? taken->status.st_mode & 07777 : 0644;
  if (change->kind == CHANGE_MOVE) {
    if (taken == NULL || change->mode == 0 || !S_ISREG(taken->status.st_mode)) return 0;
    int error = reserve(job);
    if (error != 0) return error;
    job->done[job->done_count++] = (struct done){.what = DONE_MODE, .number = change->taken, .path = taken->path};
  } else if (taken != NULL && fchownat(job->stage.fd, staged, taken->status.st_uid, taken->status.st_gid, AT_SYMLINK_NOFOLLOW) < 0) {
    return errno;
  }
  return fchmodat(job->stage.fd, staged, mode, 0) < 0 ? errno : 0;
}

static int put_in_place(struct job *job, uint32_t number) {
  const struct change *change = &job->changes.items[number - 1];
  uint32_t source = change->kind == CHANGE_MOVE ? change->taken : number;
  bool is_new = change->kind == CHANGE_LINK || (change->kind == CHANGE_FILE && change->taken == 0);
  char staged[STAGED_NAME_MAX];
  change_staged_name(staged, source);
  int error = dress(job, change, staged);
  if (error == 0) error = make_parents(job, change->path);
  if (error == 0) error = reserve(job);
  if (error != 0) return error;
  for (int attempt = 0; attempt < 2; attempt++) {
    const char *name = NULL;
    int parent = open_parent(job, change->path, &name);
    if (parent < 0) return errno;
    error = is_new ? owner_give_entry(parent, job->stage.fd, staged) : 0;
    if (error == 0) error = move(job->stage.fd, staged, parent, name);
    close(parent);
    if (error != EEXIST || attempt > 0) break;
    int cleared = clear(job, change->path, 0);
    if (cleared != 0) return cleared == ENOTDIR || cleared == ELOOP ? EEXIST : cleared;
    error = reserve(job);
    if (error != 0) return error;
  }
  if (error == 0) job->done[job->done_count++] = (struct done){.what = DONE_PLACED, .number = source, .path = change->path};
  return error;
}

static void undo_one(struct job *job, const struct done *done) {
  const char *name = NULL;
  char staged[STAGED_NAME_MAX];
  change_staged_name(staged, done->number);
  int parent = open_parent(job, done->path, &name);
  if (parent < 0) return;
  switch (done->what) {
    case DONE_TAKEN: (void)move(job->stage.fd, staged, parent, name); break;
    case DONE_PLACED: (void)move(parent, name, job->stage.fd, staged); break;
    case DONE_MODE: (void)!fchmodat(job->stage.fd, staged, job->changes.items[done->number - 1].status.st_mode & 07777, 0); break;
    case DONE_MADE: (void)unlinkat(parent, name, AT_REMOVEDIR); break;
    case DONE_CLEARED:
      if (mkdirat(parent, name, 0700) < 0) break;
      (void)!fchownat(parent, name, done->status.st_uid, done->status.st_gid, AT_SYMLINK_NOFOLLOW);
      (void)!fchmodat(parent, name, done->status.st_mode & 07777, 0);
      break;
  }
  close(parent);
}

/* Removes directories that held only taken files, as git does. */
static void remove_empty_parents(const struct job *job, const char *path) {
  char part[PATH_MAX];
  snprintf(part, sizeof part, "%s", path);
  for (char *slash = strrchr(part, '/'); slash != NULL; slash = strrchr(part, '/')) {
    *slash = '\0';
    const char *name = NULL;
    int parent = open_parent(job, part, &name);
    if (parent < 0) return;
    int removed = unlinkat(parent, name, AT_REMOVEDIR);
    close(parent);
    if (removed < 0) return;
  }
}

static int run(struct job *job) {
  int error = task_alone();
  for (uint32_t pass = 0; pass < 2; pass++) {
    for (uint32_t number = 1; error == 0 && number <= job->changes.count; number++) {
      const struct change *change = &job->changes.items[number - 1];
      if ((change->kind == CHANGE_TAKE) != (pass == 0)) continue;
      error = pass == 0 ? take_away(job, number) : put_in_place(job, number);
      if (error != 0) job->at_fault = change->path;
    }
  }
  if (error != 0)
    while (job->done_count > 0) undo_one(job, &job->done[--job->done_count]);
  else
    for (uint32_t i = 0; i < job->changes.count; i++)
      if (job->changes.items[i].kind == CHANGE_TAKE) remove_empty_parents(job, job->changes.items[i].path);
  return error;
}

static int body(const void *request, struct task_report *report) {
  static struct job job;
  job.root = open_root(request);
  if (job.root < 0) return task_failed(report, errno, STEP_OPEN, request);
  stages_recover(job.root);
  int error = stage_open(job.root, &job.stage);
  if (error != 0) return task_failed(report, error, STEP_OPEN, request);
  error = changes_read(&job.changes, job.stage.fd);
  /* The input ended because the stream was released: nothing happens. */
  if (error == 0 && !report->go_on) error = ECANCELED;
  enum step step = error == EBADMSG ? STEP_MALFORMED : STEP_IO;
  if (error == 0) error = run(&job);
  stage_remove(job.root, &job.stage, job.changes.count);
  return error != 0 ? task_failed(report, error, step, job.at_fault != NULL ? job.at_fault : "") : 0;
}

void change_files(struct stream *stream, const struct change_request *request) {
  char *root = copy_str(request->root);
  if (root == NULL)
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  else
    task_start(stream, body, root, true);
  free(root);
}
