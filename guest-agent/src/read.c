#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "rights.h"
#include "small_file.h"
#include "task.h"
#include "version.h"

enum { PIECE = 64 * 1024, PIPE_SIZE = 1024 * 1024 };

/* Arguments of the helper. Its strings lie in the agent's memory, of which the helper has a copy. */
struct plan {
  char *root, *path, *user;
  uint64_t offset, limit;
  uint8_t flags;
};

/* For files that cannot be spliced, as those of /proc. */
static int copy_rest(int fd, uint64_t left) {
  static char piece[PIECE];
  while (left > 0) {
    ssize_t count = read(fd, piece, left < PIECE ? (size_t)left : PIECE);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    int error = write_all(STDOUT_FILENO, piece, (size_t)count);
    if (error != 0) return error;
    left -= (uint64_t)count;
  }
  return 0;
}

static int send_content(int fd, uint64_t limit) {
  uint64_t left = limit == 0 ? UINT64_MAX : limit;
  fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_SIZE);
  while (left > 0) {
    ssize_t count = splice(fd, NULL, STDOUT_FILENO, NULL, left < PIPE_SIZE ? (size_t)left : PIPE_SIZE, SPLICE_F_MOVE);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EINVAL) return copy_rest(fd, left);
    if (count < 0) return errno;
    if (count == 0) return 0;
    left -= (uint64_t)count;
  }
  return 0;
}

/* Record of the file, ahead of its content. A change during the read gives the file another version. */
static int tell(int fd, struct stat *status) {
  version_settle(status->st_ctim);
  if (fstat(fd, status) < 0) return errno;
  uint8_t record[FILE_RECORD];
  version_record(record, 0, status, version_of(fd, status));
  return write_all(STDOUT_FILENO, record, sizeof record);
}

static int check_type(int fd, const struct plan *plan, struct stat *status) {
  if (fstat(fd, status) < 0) return errno;
  if (S_ISDIR(status->st_mode)) return EISDIR;
  return S_ISREG(status->st_mode) || (S_ISBLK(status->st_mode) && (plan->flags & READ_DEVICE)) ? 0 : EINVAL;
}

/* -1 with errno. Looks before it opens: the opening of a device may do something. */
static int open_content(int root, const struct plan *plan, struct stat *status) {
  int fd = -1;
  for (int attempt = 0; attempt < 2; attempt++) {
    fd = open_beneath(root, plan->path, attempt == 0 ? O_PATH : O_RDONLY, 0, true);
    if (fd < 0) return -1;
    int error = check_type(fd, plan, status);
    if (error == 0 && attempt > 0) break;
    close(fd);
    if (error == 0) continue;
    errno = error;
    return -1;
  }
  return fd;
}

static int body(const void *request, struct task_report *report) {
  const struct plan *plan = request;
  int error = rights_take(plan->user);
  if (error != 0) return task_failed(report, error, STEP_USER, plan->user);
  int root = open_root_of(plan->root, plan->path, (plan->flags & READ_IN_ROOT) != 0);
  if (root < 0) return task_failed(report, errno, STEP_OPEN, plan->root);
  struct stat status;
  int fd = open_content(root, plan, &status);
  if (fd < 0) return task_failed(report, errno, STEP_OPEN, plan->path);
  if (plan->offset > INT64_MAX) return task_failed(report, EINVAL, STEP_OPEN, plan->path);
  if (plan->offset > 0 && lseek(fd, (off_t)plan->offset, SEEK_SET) < 0) return task_failed(report, errno, STEP_IO, plan->path);
  error = plan->flags & READ_TELL ? tell(fd, &status) : 0;
  if (error == 0) error = send_content(fd, plan->limit);
  return error != 0 ? task_failed(report, error, STEP_IO, plan->path) : 0;
}

void read_file(struct stream *stream, const struct read_request *request) {
  struct plan plan = {copy_str(request->root), copy_str(request->path), copy_str(request->user),
                      request->offset,         request->limit,          request->flags};
  if (plan.root == NULL || plan.path == NULL || plan.user == NULL)
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  else
    task_start(stream, body, &plan, false);
  free(plan.root);
  free(plan.path);
  free(plan.user);
}
