#include "copy_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "owner.h"
#include "small_file.h"

enum {
  /* Each level holds two descriptors; a deeper tree is refused rather than cut. */
  DEPTH_MAX = 1024,
  PIECE = 64 * 1024,
  RANGE_MAX = 8 * 1024 * 1024,
  /* Ids and the sticky bit of a foreign file are not the new owner's. */
  MODE_KEPT = 0777,
};

struct job {
  struct copied *copied;
  dev_t device;      /* of the source: what is mounted beneath it is left out */
  struct stat draft; /* the first new directory: a copy into itself would not end */
  int parent;
};

static bool is_cancelled(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

/* Owner, permissions and times of the source. */
static int dress(const struct job *job, int fd, const struct stat *status) {
  int error = owner_give(job->parent, fd);
  if (error != 0) return error;
  if (fchmod(fd, status->st_mode & MODE_KEPT) < 0) return errno;
  return futimens(fd, (struct timespec[2]){status->st_atim, status->st_mtim}) < 0 ? errno : 0;
}

/* Bytes between `at` and `end`, through the kernel where it can. */
static int copy_range(struct job *job, int in, int out, off_t at, off_t end) {
  static char piece[PIECE];
  bool by_kernel = true;
  while (at < end) {
    if (is_cancelled()) return ECANCELED;
    size_t left = end - at < RANGE_MAX ? (size_t)(end - at) : RANGE_MAX;
    off_t from = at, to = at;
    ssize_t count = -1;
    if (by_kernel) count = copy_file_range(in, &from, out, &to, left, 0);
    if (count <= 0) {
      by_kernel = false;
      count = pread(in, piece, left < PIECE ? left : PIECE, at);
      if (count < 0) return errno;
      if (count == 0) return 0;
      ssize_t written = pwrite(out, piece, (size_t)count, at);
      if (written != count) return written < 0 ? errno : EIO;
    }
    at += count;
    job->copied->bytes += (uint64_t)count;
  }
  return 0;
}

/* Keeps holes. A file of /proc has no size, and is read to its end. */
static int copy_content(struct job *job, int in, int out, off_t size) {
  static char piece[PIECE];
  if (size == 0) {
    for (ssize_t count; (count = read(in, piece, sizeof piece)) != 0;) {
      if (is_cancelled()) return ECANCELED;
      int error = count < 0 ? errno : write_all(out, piece, (size_t)count);
      if (error != 0) return error;
      job->copied->bytes += (uint64_t)count;
    }
    return 0;
  }
  for (off_t at = 0; at < size;) {
    off_t data = lseek(in, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    if (data < 0) data = at;
    off_t hole = lseek(in, data, SEEK_HOLE);
    int error = copy_range(job, in, out, data, hole < 0 ? size : hole);
    if (error != 0) return error;
    at = hole < 0 ? size : hole;
  }
  return ftruncate(out, size) < 0 ? errno : 0;
}

static int copy_file(struct job *job, int in, const struct stat *status, int to, const char *name) {
  int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (out < 0) return errno;
  int error = copy_content(job, in, out, status->st_size);
  if (error == 0) error = dress(job, out, status);
  if (close(out) < 0 && error == 0) error = errno;
  return error;
}

static int copy_link(struct job *job, int from, int to, const char *name) {
  static char target[PATH_MAX];
  ssize_t size = readlinkat(from, name, target, sizeof target);
  if (size < 0 || size == PATH_MAX) return size < 0 ? errno : ENAMETOOLONG;
  target[size] = '\0';
  return symlinkat(target, to, name) < 0 ? errno : owner_give_entry(job->parent, to, name);
}

static int copy_directory(struct job *job, int in, const struct stat *status, int to, const char *name, unsigned depth);

static int copy_entry(struct job *job, int from, int to, const char *name, unsigned depth) {
  struct stat status;
  if (is_cancelled()) return ECANCELED;
  /* Vanished meanwhile. */
  if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : errno;
  bool is_directory = S_ISDIR(status.st_mode);
  if (is_directory && status.st_dev == job->draft.st_dev && status.st_ino == job->draft.st_ino) return EINVAL;
  if (S_ISLNK(status.st_mode)) {
    job->copied->entries++;
    return copy_link(job, from, to, name);
  }
  if ((!is_directory && !S_ISREG(status.st_mode)) || (is_directory && status.st_dev != job->device)) {
    job->copied->skipped++;
    return 0;
  }
  int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (is_directory ? O_DIRECTORY : 0));
  if (in < 0) return errno == ENOENT ? 0 : errno;
  int error = fstat(in, &status) < 0 ? errno : 0;
  if (error == 0) job->copied->entries++;
  if (error == 0 && is_directory) return copy_directory(job, in, &status, to, name, depth + 1);
  if (error == 0) error = S_ISREG(status.st_mode) ? copy_file(job, in, &status, to, name) : EINVAL;
  close(in);
  return error;
}

/* Takes `in`. */
static int copy_directory(struct job *job, int in, const struct stat *status, int to, const char *name, unsigned depth) {
  int error = depth > DEPTH_MAX ? ENAMETOOLONG : mkdirat(to, name, 0700) < 0 ? errno : 0;
  int out = error == 0 ? openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
  if (error == 0 && (out < 0 || (depth == 0 && fstat(out, &job->draft) < 0))) error = errno;
  DIR *directory = error == 0 ? fdopendir(in) : NULL;
  if (directory == NULL) {
    if (error == 0) error = errno;
    close(in);
  } else {
    const struct dirent *entry;
    while (error == 0 && (errno = 0, entry = readdir(directory)) != NULL)
      if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
        error = copy_entry(job, dirfd(directory), out, entry->d_name, depth);
    if (error == 0) error = errno;
    closedir(directory);
  }
  if (error == 0) error = dress(job, out, status);
  if (out >= 0) close(out);
  return error;
}

int copy_tree(int from, int parent, const char *name, struct copied *copied) {
  static struct job job;
  struct stat status;
  *copied = (struct copied){.entries = 1};
  if (fstat(from, &status) < 0) return errno;
  job.copied = copied;
  job.device = status.st_dev;
  job.parent = parent;
  if (S_ISREG(status.st_mode)) return copy_file(&job, from, &status, parent, name);
  if (!S_ISDIR(status.st_mode)) return EINVAL;
  int in = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return in < 0 ? errno : copy_directory(&job, in, &status, parent, name, 0);
}
