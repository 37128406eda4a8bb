#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "feed.h"
#include "task.h"

enum { PIECE = 64 * 1024 };

struct plan {
  char *root;
  uint8_t *paths; /* as on the wire: each with its count */
  size_t paths_size;
  uint32_t count;
  uint64_t limit;
};

/* A piece of content; the one without bytes is the last. */
static int put_piece(const void *data, size_t size) {
  uint8_t count[4];
  big_endian(count, size, 4);
  int error = feed_put(count, sizeof count);
  return error != 0 ? error : feed_put(data, size);
}

/* Result of the read of a file, after its pieces. */
static int put_end(int error, uint64_t size) {
  uint8_t end[16], *at = big_endian(end, 0, 4);
  at = big_endian(at, (uint64_t)(unsigned)error, 4);
  big_endian(at, size, 8);
  return feed_put(end, sizeof end);
}

/* Returns errno of the pipe. An error of the file follows its readable content. */
static int put_content(int fd, uint64_t limit) {
  static char piece[PIECE];
  uint64_t total = 0;
  for (;;) {
    ssize_t count = read(fd, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return put_end(errno, total);
    if (count == 0) return put_end(0, total);
    total += (uint64_t)count;
    /* It grew. */
    if (total > limit) return put_end(EFBIG, total);
    int error = put_piece(piece, (size_t)count);
    if (error != 0) return error;
  }
}

static int put_file(int root, const char *path, uint64_t limit) {
  struct stat status;
  int fd = open_beneath(root, path, O_RDONLY, 0, false);
  if (fd < 0) return put_end(errno, 0);
  int error = 0;
  if (fstat(fd, &status) < 0)
    error = put_end(errno, 0);
  else if (!S_ISREG(status.st_mode))
    error = put_end(EINVAL, 0);
  else if ((uint64_t)status.st_size > limit)
    error = put_end(EFBIG, (uint64_t)status.st_size);
  else
    error = put_content(fd, limit);
  close(fd);
  return error;
}

static int body(const void *request, struct task_report *report) {
  const struct plan *plan = request;
  int root = open_root(plan->root), error = 0;
  if (root < 0) return task_failed(report, errno, STEP_OPEN, plan->root);
  struct cursor paths = cursor_over(plan->paths, plan->paths_size);
  for (uint32_t i = 0; error == 0 && i < plan->count; i++) {
    char *path = copy_str(take_str(&paths));
    error = path == NULL ? ENOMEM : put_file(root, path, plan->limit);
    free(path);
  }
  if (error == 0) error = feed_flush();
  return error == 0 ? 0 : task_failed(report, error, STEP_IO, "pipe");
}

void read_many(struct stream *stream, const struct read_many_request *request) {
  struct bytes paths = {request->paths.items.at, request->paths.items.left};
  struct plan plan = {.root = copy_str(request->root),
                      .paths = malloc(paths.size + 1),
                      .paths_size = paths.size,
                      .count = request->paths.count,
                      .limit = request->limit};
  if (plan.root == NULL || plan.paths == NULL) {
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  } else {
    memcpy(plan.paths, paths.data, paths.size);
    task_start(stream, body, &plan, false);
  }
  free(plan.root);
  free(plan.paths);
}
