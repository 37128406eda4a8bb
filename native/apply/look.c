#include "apply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { CONFLICTS_TOLD = 20, DEPTH_MOST = 1000 };

static const char CHANGED[] = "it has changed since pyro last read or wrote it";
static const char FOLDER_THERE[] = "a directory is there";

static int same_target(const struct apply *apply, int folder, const char *name, const char *of) {
  char there[PATH_MAX], wanted[PATH_MAX];
  ssize_t length = readlinkat(folder, name, there, sizeof there);
  return length >= 0 && length == readlinkat(apply->stage, of, wanted, sizeof wanted) && memcmp(there, wanted, (size_t)length) == 0;
}

/* Bytes up to `length`, or to the end of the file; -1 with errno. */
static ssize_t read_piece(int fd, char *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    ssize_t count = read(fd, bytes + at, length - at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    at += (size_t)count;
  }
  return (ssize_t)at;
}

static const char *differing_content(int there, int wanted) {
  static char one[64 * 1024], other[64 * 1024];
  for (;;) {
    ssize_t count = read_piece(there, one, sizeof one);
    if (count < 0) return "it cannot be read";
    if (count != read_piece(wanted, other, sizeof other) || memcmp(one, other, (size_t)count) != 0) return CHANGED;
    if (count == 0) return NULL;
  }
}

const char *differs(struct apply *apply, int folder, const char *name, size_t i, const char *what) {
  const struct change *change = &apply->changes.list[i];
  const struct side *side = strcmp(what, "old") == 0 ? &change->old : &change->new;
  struct stat status;
  staged_name of;
  staged(of, what, i);
  if (side->kind == '-') return "it is there already";
  if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return "it cannot be read";
  if (S_ISLNK(status.st_mode)) return side->kind == 'l' && same_target(apply, folder, name, of) ? NULL : CHANGED;
  if (!S_ISREG(status.st_mode) || side->kind == 'l') return CHANGED;
  if ((side->kind == 'x') != ((status.st_mode & S_IXUSR) != 0) || (uint64_t)status.st_size != side->size) return CHANGED;
  int there = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (there < 0) return "it cannot be read";
  int wanted = openat(apply->stage, of, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (wanted < 0) apply_fail(apply, errno, "cannot read", "a staged file");
  const char *why = differing_content(there, wanted);
  close(wanted);
  close(there);
  return why;
}

static int is_beneath(const char *path, const char *folder) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && path[length] == '/';
}

int removes_beneath(const struct change *change, const struct change *above) {
  return change->new.kind == '-' && change->state == CHANGE_DUE &&is_beneath(change->path, above->path);
}

/* Counts what is not a folder in a tree, up to more than `most`. An empty folder, which no change removes, counts as well. */
static size_t count_files(int folder, const char *name, size_t most, int depth) {
  size_t count = 0, names = 0;
  int fd = depth > DEPTH_MOST ? -1 : openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (directory == NULL) {
    if (fd >= 0) close(fd);
    return most + 1;
  }
  for (const struct dirent *entry; count <= most && (entry = readdir(directory)) != NULL;) {
    struct stat status;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    names++;
    if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
      count += count_files(fd, entry->d_name, most - count, depth + 1);
    else
      count++;
  }
  closedir(directory);
  return names == 0 ? count + 1 : count;
}

/* Whether the list removes all that a folder has. */
static int is_emptied(const struct apply *apply, const struct change *change, int folder, const char *base) {
  size_t removed = 0;
  for (size_t i = 0; i < apply->changes.count; i++) removed += (size_t)removes_beneath(&apply->changes.list[i], change);
  return removed > 0 && count_files(folder, base, removed, 0) == removed;
}

/* Whether a change is about a path above another one: then there is no such folder, before or after. */
static int is_above(const struct apply *apply, const struct change *change) {
  for (size_t i = 0; i < apply->changes.count; i++) {
    if (is_beneath(change->path, apply->changes.list[i].path)) return 1;
  }
  return 0;
}

/* The reason for a conflict at a path where nothing is, or NULL. */
static const char *judge_absence(struct change *change) {
  if (change->new.kind == '-')
    change->state = CHANGE_THERE;
  else if (change->old.kind != '-')
    return "it is gone";
  return NULL;
}

static const char *judge_folder(const struct apply *apply, struct change *change, int folder, const char *base) {
  if (change->new.kind == '-') return judge_absence(change); /* the file has become a folder already */
  if (change->old.kind != '-' || !is_emptied(apply, change, folder, base)) return FOLDER_THERE;
  change->state = CHANGE_UNFOLDED;
  return NULL;
}

static const char *judge_at(struct apply *apply, size_t i, int folder, const char *base) {
  struct change *change = &apply->changes.list[i];
  struct stat status;
  const char *why;
  if (fstatat(folder, base, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) apply_fail(apply, errno, "cannot look at", change->path);
    why = judge_absence(change);
  } else if (S_ISDIR(status.st_mode)) {
    why = judge_folder(apply, change, folder, base);
  } else if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    why = "a device, a pipe or a socket is there, and is never replaced";
  } else if (change->new.kind != '-' && differs(apply, folder, base, i, "new") == NULL) {
    change->state = CHANGE_THERE;
    return NULL;
  } else {
    why = differs(apply, folder, base, i, "old");
  }
  if (why == NULL && change->state != CHANGE_THERE && faccessat(folder, ".", W_OK | X_OK, 0) != 0) return "its directory cannot be written";
  return why;
}

static const char *judge(struct apply *apply, size_t i) {
  struct change *change = &apply->changes.list[i];
  const char *base;
  int folder = folder_of(apply, change, &base);
  if (folder >= 0) {
    const char *why = judge_at(apply, i, folder, base);
    close(folder);
    return why;
  }
  if (errno == ENOENT) return judge_absence(change);
  if (errno != ENOTDIR && errno != ELOOP) apply_fail(apply, errno, "cannot open the directory of", change->path);
  return is_above(apply, change) ? judge_absence(change) : "a file or a symbolic link is in place of its directory, and is never followed";
}

/* Removals come first: whether a folder gets empty depends on them. */
void look(struct apply *apply) {
  size_t conflicts = 0;
  for (int removals = 1; removals >= 0; removals--) {
    for (size_t i = 0; i < apply->changes.count; i++) {
      struct change *change = &apply->changes.list[i];
      if ((change->new.kind == '-') != removals) continue;
      const char *why = judge(apply, i);
      if (why == NULL) continue;
      change->state = CHANGE_BAD;
      if (++conflicts <= CONFLICTS_TOLD) put_report("conflict", change->path, why);
    }
  }
  if (conflicts > 0) apply_end(apply, APPLY_CONFLICT, "%zu path%s", conflicts, conflicts == 1 ? "" : "s");
}
