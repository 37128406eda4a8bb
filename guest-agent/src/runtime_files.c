#include "runtime_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "small_file.h"

/* The copy lies in the memory of each guest. */
enum { ENTRIES_MAX = 1000, DEPTH_MAX = 16, BYTES_MAX = 4 << 20, PIECE = 16384 };
#define OWN_NAMES "pyro"

struct copy {
  unsigned entries;
  uint64_t bytes;
  unsigned left_out;
};

struct pair {
  int from, to;
  unsigned depth;
};

static void copy_entries(struct copy *copy, struct pair pair);

static bool settle(int fd, const struct stat *status) {
  return fchown(fd, status->st_uid, status->st_gid) == 0 && fchmod(fd, status->st_mode & 07777) == 0;
}

/* Below an existing directory it goes on with the entries, and gives that directory the owner and mode of the image's. */
static bool copy_directory(struct copy *copy, struct pair above, const char *name, const struct stat *status) {
  enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
  if (above.depth == DEPTH_MAX) return false;
  mkdirat(above.to, name, 0700);
  struct pair pair = {openat(above.from, name, HOW), openat(above.to, name, HOW), above.depth + 1};
  bool whole = pair.from >= 0 && pair.to >= 0;
  if (whole) copy_entries(copy, pair);
  if (whole) whole = settle(pair.to, status);
  if (pair.from >= 0) close(pair.from);
  if (pair.to >= 0) close(pair.to);
  return whole;
}

static bool copy_content(struct copy *copy, int from, int to) {
  uint8_t piece[PIECE];
  for (;;) {
    ssize_t count = read(from, piece, sizeof piece);
    if (count <= 0) return count == 0;
    copy->bytes += (uint64_t)count;
    if (copy->bytes > BYTES_MAX || write_all(to, piece, (size_t)count) != 0) return false;
  }
}

static bool copy_file(struct copy *copy, struct pair pair, const char *name, const struct stat *status) {
  if ((uint64_t)status->st_size > BYTES_MAX - copy->bytes) return false;
  int from = openat(pair.from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  int to = openat(pair.to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  bool whole = from >= 0 && to >= 0 && copy_content(copy, from, to) && settle(to, status);
  if (to >= 0 && !whole) unlinkat(pair.to, name, 0);
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  return whole;
}

static bool copy_link(struct pair pair, const char *name, const struct stat *status) {
  char target[PATH_MAX];
  ssize_t length = readlinkat(pair.from, name, target, sizeof target - 1);
  if (length <= 0) return false;
  target[length] = '\0';
  return symlinkat(target, pair.to, name) == 0 && fchownat(pair.to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool copy_entry(struct copy *copy, struct pair pair, const char *name) {
  struct stat status;
  if (copy->entries++ >= ENTRIES_MAX || fstatat(pair.from, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return false;
  switch (status.st_mode & S_IFMT) {
    case S_IFDIR: return copy_directory(copy, pair, name, &status);
    case S_IFREG: return copy_file(copy, pair, name, &status);
    case S_IFLNK: return copy_link(pair, name, &status);
    default: return false;
  }
}

static void copy_entries(struct copy *copy, struct pair pair) {
  int again = openat(pair.from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = again < 0 ? NULL : fdopendir(again);
  if (directory == NULL) {
    if (again >= 0) close(again);
    return;
  }
  for (const struct dirent *entry; copy->entries <= ENTRIES_MAX && (entry = readdir(directory)) != NULL;) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    bool own = pair.depth == 0 && strncmp(name, OWN_NAMES, strlen(OWN_NAMES)) == 0;
    if (own || !copy_entry(copy, pair, name)) copy->left_out++;
  }
  closedir(directory);
}

void runtime_files_copy(const char *from, const char *to) {
  enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
  struct copy copy = {.entries = 0};
  struct pair pair = {open(from, HOW), open(to, HOW), 0};
  if (pair.from >= 0 && pair.to >= 0) copy_entries(&copy, pair);
  if (copy.left_out > 0) log_line("%s: left out %u entries of the image", to, copy.left_out);
  if (pair.from >= 0) close(pair.from);
  if (pair.to >= 0) close(pair.to);
}
