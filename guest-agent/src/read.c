#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "small_file.h"
#include "task.h"
#include "version.h"

enum { PIECE = 64 * 1024, PIPE_SIZE = 1024 * 1024 };

/* Arguments of the helper. Its strings lie in the agent's memory, of which the helper has a copy. */
struct plan {
  char *root, *path;
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

static int body(const void *request, struct task_report *report) {
  const struct plan *plan = request;
  int root = open_root(plan->root);
  if (root < 0) return task_failed(report, errno, STEP_OPEN, plan->root);
  int fd = open_beneath(root, plan->path, O_RDONLY, 0, true);
  if (fd < 0) return task_failed(report, errno, STEP_OPEN, plan->path);
  struct stat status;
  if (fstat(fd, &status) < 0) return task_failed(report, errno, STEP_OPEN, plan->path);
  if (S_ISDIR(status.st_mode)) return task_failed(report, EISDIR, STEP_OPEN, plan->path);
  bool is_wanted = S_ISREG(status.st_mode) || (S_ISBLK(status.st_mode) && (plan->flags & READ_DEVICE));
  if (!is_wanted) return task_failed(report, EINVAL, STEP_OPEN, plan->path);
  if (plan->offset > INT64_MAX) return task_failed(report, EINVAL, STEP_OPEN, plan->path);
  if (plan->offset > 0 && lseek(fd, (off_t)plan->offset, SEEK_SET) < 0) return task_failed(report, errno, STEP_IO, plan->path);
  int error = plan->flags & READ_TELL ? tell(fd, &status) : 0;
  if (error == 0) error = send_content(fd, plan->limit);
  return error != 0 ? task_failed(report, error, STEP_IO, plan->path) : 0;
}

void read_file(struct stream *stream, const struct read_request *request) {
  struct plan plan = {copy_str(request->root), copy_str(request->path), request->offset, request->limit, request->flags};
  if (plan.root == NULL || plan.path == NULL)
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  else
    task_start(stream, body, &plan, false);
  free(plan.root);
  free(plan.path);
}
