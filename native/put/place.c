#include "pair.h"
#include "put.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFLICTS_TOLD = 20 };

static int is_folder(int folder, const char *name) {
  struct stat status;
  return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* Reason why an entry cannot replace the present file; NULL if it can. */
static const char *in_the_way(const struct put *put, const struct entry *entry, const struct stat *there) {
  if (S_ISDIR(there->st_mode)) return entry->type == 'd' ? NULL : "a directory is there";
  if (entry->type == 'd') return S_ISLNK(there->st_mode) ? "a symbolic link is there, and is never followed" : "a file is there";
  if (!S_ISREG(there->st_mode) && !S_ISLNK(there->st_mode)) return "a device, a pipe or a socket is there, and is never replaced";
  return put->overwrite ? NULL : "it is there already";
}

void place_check(struct put *put) {
  char path[PATH_MAX];
  int folder = -1;
  size_t folder_of = SIZE_MAX, conflicts = 0;
  for (size_t i = 0; i < put->plan.count; i++) {
    struct entry *entry = &put->plan.entries[i];
    struct stat there;
    size_t length, above = i == 0 ? SIZE_MAX - 1 : entry->parent;
    if (i > 0 && put->plan.entries[above].state != ENTRY_THERE) continue; /* a missing folder has no entries */
    real_path(put, entry, path);
    const char *base = path_base(path, &length);
    if (above != folder_of) {
      if (folder >= 0) close(folder);
      folder = beneath(put->base, path, length);
      folder_of = above;
      if (folder < 0) put_fail(put, errno, "cannot open the folder of", path);
    }
    if (fstatat(folder, base, &there, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) put_fail(put, errno, "cannot look at", path);
      continue;
    }
    const char *why = in_the_way(put, entry, &there);
    if (why != NULL && ++conflicts <= CONFLICTS_TOLD) put_report("conflict", entry->path, why);
    if (why == NULL && entry->type == 'd') entry->state = ENTRY_THERE;
  }
  if (folder >= 0) close(folder);
  if (conflicts > 0) put_end(put, PUT_CONFLICT, "%zu path%s in the way", conflicts, conflicts == 1 ? " is" : "s are");
  for (size_t i = 0; i < put->plan.count; i++) put->plan.entries[i].state = ENTRY_NEW; /* the final rename checks again */
}

/* On a file system without renames that never replace: a new folder or a hard link, which never replace either. 0 or -1 with errno. */
static int place_without_rename(struct entry *entry, int staged, const char *name, int real, const char *as) {
  if (entry->type == 'd' ? mkdirat(real, as, 0700 | (entry->mode & 0777)) != 0 : linkat(staged, name, real, as, 0) != 0) return -1;
  entry->state = entry->type == 'd' ? ENTRY_MADE : ENTRY_LINKED;
  return 0;
}

/* In the place of a file or link that may be replaced. 0 when done, 1 to look again, -1 with errno. */
static int replace(struct entry *entry, int staged, const char *name, int real, const char *as) {
  if (rename_with(staged, name, real, as, EXCHANGE) == 0) {
    if (!is_folder(staged, name)) {
      entry->state = ENTRY_EXCHANGED;
      return 0;
    }
    /* It became a folder meanwhile. */
    rename_with(staged, name, real, as, EXCHANGE);
    return 1;
  }
  if (errno == ENOENT) return 1;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (renameat(staged, name, real, as) != 0) return -1;
  entry->state = ENTRY_REPLACED;
  return 0;
}

static void place(struct put *put, struct entry *entry, int staged, const char *name, int real, const char *as) {
  for (int attempt = 0; attempt < 64; attempt++) {
    struct stat there;
    if (rename_with(staged, name, real, as, NOREPLACE) == 0) {
      entry->state = ENTRY_MOVED;
      return;
    }
    if ((errno == EINVAL || errno == ENOSYS) && place_without_rename(entry, staged, name, real, as) == 0) return;
    if (errno != EEXIST) put_fail(put, errno, "cannot create", entry->path);
    if (fstatat(real, as, &there, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const char *why = in_the_way(put, entry, &there);
    if (why != NULL) {
      put_report("conflict", entry->path, why);
      put_end(put, PUT_CONFLICT, "something came in the way meanwhile");
    }
    if (entry->type == 'd') {
      entry->state = ENTRY_THERE;
      return;
    }
    int replaced = replace(entry, staged, name, real, as);
    if (replaced == 0) return;
    if (replaced < 0) put_fail(put, errno, "cannot replace", entry->path);
  }
  put_fail(put, EBUSY, "cannot create", entry->path);
}

void place_all(struct put *put) {
  char staged[PATH_MAX], real[PATH_MAX];
  struct pair pair = {.of = SIZE_MAX};
  for (size_t i = 0; i < put->plan.count; i++) {
    struct entry *entry = &put->plan.entries[i];
    const char *name, *as;
    if (entry->state == ENTRY_ABSENT) continue;
    char above = i == 0 ? ENTRY_THERE : put->plan.entries[entry->parent].state;
    if (above == ENTRY_MOVED || above == ENTRY_WITH) {
      entry->state = ENTRY_WITH;
      continue;
    }
    if (pair_open(put, &pair, i, staged, real, &name, &as) != 0) put_fail(put, errno, "cannot open the folder of", entry->path);
    put->placed = i + 1;
    place(put, entry, pair.staged, name, pair.real, as);
  }
  pair_close(&pair);
  for (size_t i = 0; i < put->plan.count; i++) {
    const struct entry *entry = &put->plan.entries[i];
    if (entry->state == ENTRY_EXCHANGED || entry->state == ENTRY_REPLACED)
      put_report("replaced", entry->path, "");
    else if (entry->state == ENTRY_THERE)
      put_report("there", entry->path, "");
  }
}
