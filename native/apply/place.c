#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for one more step, before the step is taken. */
static void expect_step(struct apply *apply) {
  if (apply->count < apply->room) return;
  size_t room = apply->room == 0 ? 256 : 2 * apply->room;
  struct step *steps = realloc(apply->steps, room * sizeof *steps);
  if (steps == NULL) apply_end(apply, APPLY_FAILED, "out of memory");
  apply->steps = steps;
  apply->room = room;
}

static void did(struct apply *apply, struct step step) { apply->steps[apply->count++] = step; }

static int opened_folder(struct apply *apply, const struct change *change, const char **base) {
  int folder = folder_of(apply, change, base);
  if (folder < 0) apply_fail(apply, errno, "cannot open the directory of", change->path);
  return folder;
}

/* Moves the host's file away, and ends if it is not the old one. */
static void take(struct apply *apply, size_t i, int folder, const char *base) {
  const struct change *change = &apply->changes.list[i];
  staged_name out;
  staged(out, "out", i);
  expect_step(apply);
  if (renameat(folder, base, apply->stage, out) != 0) {
    if (errno == ENOENT && change->new.kind == '-') return;
    if (errno == ENOENT) apply_conflict(apply, change, "it is gone");
    apply_fail(apply, errno, "cannot replace", change->path);
  }
  did(apply, (struct step){.kind = STEP_TAKEN, .change = i});
  const char *why = differs(apply, apply->stage, out, i, "old");
  if (why != NULL) apply_conflict(apply, change, why);
}

/* Removes the folders above a path as long as they are empty and have at least a length. The root always stays. */
static void remove_emptied(struct apply *apply, size_t i, size_t least, int is_logged) {
  const char *path = apply->changes.list[i].path;
  size_t length = strlen(path);
  for (;;) {
    struct stat status = {0};
    char folder[PATH_MAX];
    const char *base;
    while (length > 0 && path[length] != '/') length--;
    if (length == 0 || length < least) return;
    int above = above_folder(apply, i, length, folder, &base);
    if (above < 0) return;
    expect_step(apply);
    int is_gone = fstatat(above, base, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
    int is_removed = !is_gone && unlinkat(above, base, AT_REMOVEDIR) == 0;
    close(above);
    if (is_removed && is_logged)
      did(apply, (struct step){.kind = STEP_REMOVED, .change = i, .length = length, .mode = status.st_mode & 07777});
    if (!is_removed && !is_gone) return;
    length--;
  }
}

/* Removes a folder whose files have all been taken. */
static void unfold(struct apply *apply, const struct change *change) {
  struct stat status;
  const char *base;
  for (size_t i = 0; i < apply->changes.count; i++) {
    if (removes_beneath(&apply->changes.list[i], change)) remove_emptied(apply, i, strlen(change->path), 1);
  }
  int folder = opened_folder(apply, change, &base);
  int is_there = fstatat(folder, base, &status, AT_SYMLINK_NOFOLLOW) == 0;
  close(folder);
  if (is_there) apply_conflict(apply, change, "a directory with other files is there");
}

/* Makes the missing folders above a path. */
static void make_folders(struct apply *apply, size_t i) {
  const char *path = apply->changes.list[i].path;
  for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    char folder[PATH_MAX];
    const char *base;
    size_t length = (size_t)(slash - path);
    int above = above_folder(apply, i, length, folder, &base);
    if (above < 0) apply_fail(apply, errno, "cannot open the directory of", path);
    expect_step(apply);
    if (mkdirat(above, base, 0755) == 0)
      did(apply, (struct step){.kind = STEP_MADE, .change = i, .length = length});
    else if (errno != EEXIST)
      apply_fail(apply, errno, "cannot create the directory of", path);
    close(above);
  }
}

static void add(struct apply *apply, size_t i, int folder, const char *base) {
  const struct change *change = &apply->changes.list[i];
  staged_name new;
  staged(new, "new", i);
  expect_step(apply);
  int failed = rename_with(apply->stage, new, folder, base, NOREPLACE);
  /* On a file system without renames that never replace: a hard link, which never replaces either. */
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) failed = linkat(apply->stage, new, folder, base, 0);
  if (failed != 0 && errno == EEXIST) apply_conflict(apply, change, "it is there already");
  if (failed != 0) apply_fail(apply, errno, "cannot create", change->path);
  did(apply, (struct step){.kind = STEP_ADDED, .change = i});
}

/* The permission bits and the owner of the replaced file, with those for execution as the change has them. */
static void keep_attributes(struct apply *apply, size_t i, int folder, const char *base) {
  struct stat status;
  staged_name new;
  staged(new, "new", i);
  char kind = apply->changes.list[i].new.kind;
  if (kind == 'l' || fstatat(folder, base, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) return;
  mode_t mode = status.st_mode & 0666;
  if (kind == 'x') mode |= (status.st_mode & 0111) != 0 ? status.st_mode & 0111 : (mode & 0444) >> 2;
  (void)!fchownat(apply->stage, new, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW); /* best effort: only root may */
  (void)!fchmodat(apply->stage, new, mode, 0);
}

static void replace(struct apply *apply, size_t i, int folder, const char *base) {
  const struct change *change = &apply->changes.list[i];
  staged_name new;
  staged(new, "new", i);
  keep_attributes(apply, i, folder, base);
  expect_step(apply);
  if (rename_with(apply->stage, new, folder, base, EXCHANGE) == 0) {
    did(apply, (struct step){.kind = STEP_EXCHANGED, .change = i});
    const char *why = differs(apply, apply->stage, new, i, "old");
    if (why != NULL) apply_conflict(apply, change, why);
    return;
  }
  if (errno == ENOENT) apply_conflict(apply, change, "it is gone");
  if (errno != EINVAL && errno != ENOSYS) apply_fail(apply, errno, "cannot replace", change->path);
  take(apply, i, folder, base);
  add(apply, i, folder, base);
}

void place(struct apply *apply) {
  const char *base;
  struct change *list = apply->changes.list;
  size_t count = apply->changes.count;
  for (size_t i = 0; i < count; i++) {
    if (list[i].new.kind != '-' || list[i].state != CHANGE_DUE) continue;
    int folder = opened_folder(apply, &list[i], &base);
    take(apply, i, folder, base);
    close(folder);
  }
  for (size_t i = 0; i < count; i++) {
    if (list[i].state == CHANGE_UNFOLDED) unfold(apply, &list[i]);
  }
  for (size_t i = 0; i < count; i++) {
    if (list[i].new.kind == '-' || list[i].state == CHANGE_THERE) continue;
    make_folders(apply, i);
    int folder = opened_folder(apply, &list[i], &base);
    if (list[i].old.kind == '-')
      add(apply, i, folder, base);
    else
      replace(apply, i, folder, base);
    close(folder);
  }
  /* Nothing fails from here on. */
  for (size_t i = 0; i < count; i++) {
    if (list[i].new.kind == '-' && list[i].state == CHANGE_DUE) remove_emptied(apply, i, 0, 0);
  }
}
