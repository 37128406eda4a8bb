#include "../put/holes.h"
#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PIECE_MOST = 64 * 1024 };

static void report_number(const char *subject, uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  put_report("count", subject, text);
}

/* Ends the program when there is no room; a file system that gives no numbers is taken at its word later. */
static void check_room(struct apply *apply) {
  struct statvfs room;
  int fd = openat(apply->stage_home, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) apply_fail(apply, errno, "cannot read", "the directory");
  int known = fstatvfs(fd, &room) == 0 && room.f_blocks > 0;
  close(fd);
  if (!known) return;
  uint64_t block = room.f_frsize, needed = 0;
  for (size_t i = 0; i < apply->changes.count; i++) {
    const struct change *change = &apply->changes.list[i];
    needed += (change->old.size + block - 1) / block * block + (change->new.size + block - 1) / block * block;
  }
  uint64_t bytes = (uint64_t)room.f_bavail * block;
  if (needed <= bytes && (room.f_files == 0 || 2 * apply->changes.count + 1 <= room.f_favail)) return;
  report_number("neededBytes", needed);
  report_number("freeBytes", bytes);
  apply_end(apply, APPLY_FULL, "%s", needed > bytes ? "no room" : "no room for so many files");
}

/* A check leaves the directory alone, and stages in the folder of temporary files. */
static int home_of(struct apply *apply, int is_check) {
  const char *temporary = getenv("TMPDIR");
  if (!is_check) return apply->root;
  int home = open(temporary == NULL || *temporary == '\0' ? "/tmp" : temporary, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (home < 0) apply_fail(apply, errno, "cannot open", "the folder of temporary files");
  return home;
}

void stage_open(struct apply *apply, int is_check) {
  uint64_t random;
  apply->stage_home = home_of(apply, is_check);
  check_room(apply);
  if (getrandom(&random, sizeof random, 0) != sizeof random) apply_fail(apply, errno, "cannot choose", "a name");
  snprintf(apply->stage_name, sizeof apply->stage_name, ".pyro-apply-%016" PRIx64, random);
  if (mkdirat(apply->stage_home, apply->stage_name, 0700) != 0) apply_fail(apply, errno, "cannot write in", "the directory");
  apply->stage = openat(apply->stage_home, apply->stage_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (apply->stage < 0) {
    int error = errno;
    unlinkat(apply->stage_home, apply->stage_name, AT_REMOVEDIR);
    apply_fail(apply, error, "cannot open", apply->stage_name);
  }
}

static void fill_link(struct apply *apply, const struct change *change, const struct side *side, const char *name) {
  char target[APPLY_TARGET_MOST + 1];
  if (input_take(&apply->input, target, side->size) != 0) apply_end(apply, APPLY_WITHDRAWN, "the input ended");
  target[side->size] = '\0';
  if (strlen(target) != side->size) apply_end(apply, APPLY_MALFORMED, "a link leads nowhere");
  if (symlinkat(target, apply->stage, name) != 0) apply_fail(apply, errno, "cannot create", change->path);
}

static void fill_file(struct apply *apply, const struct change *change, const struct side *side, const char *name) {
  static char piece[PIECE_MOST];
  int fd = openat(apply->stage, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, side->kind == 'x' ? 0755 : 0644);
  if (fd < 0) apply_fail(apply, errno, "cannot create", change->path);
  for (uint64_t left = side->size; left > 0;) {
    size_t part = left < PIECE_MOST ? (size_t)left : PIECE_MOST;
    if (input_take(&apply->input, piece, part) != 0) apply_end(apply, APPLY_WITHDRAWN, "the input ended");
    int error = holes_write(fd, piece, part, side->size - left);
    if (error != 0) apply_fail(apply, error, "cannot write", change->path);
    left -= part;
  }
  if (close(fd) != 0) apply_fail(apply, errno, "cannot write", change->path);
}

static void fill(struct apply *apply, size_t i, const struct side *side, const char *what) {
  const struct change *change = &apply->changes.list[i];
  staged_name name;
  staged(name, what, i);
  if (side->kind == 'l')
    fill_link(apply, change, side, name);
  else if (side->kind != '-')
    fill_file(apply, change, side, name);
}

void stage_fill(struct apply *apply) {
  for (size_t i = 0; i < apply->changes.count; i++) {
    struct change *change = &apply->changes.list[i];
    staged_name name;
    struct stat status;
    fill(apply, i, &change->old, "old");
    fill(apply, i, &change->new, "new");
    if (change->new.kind == '-') continue;
    staged(name, "new", i);
    if (fstatat(apply->stage, name, &status, AT_SYMLINK_NOFOLLOW) != 0) apply_fail(apply, errno, "cannot look at", change->path);
    change->inode = status.st_ino;
    change->time = status.st_mtim;
  }
}
