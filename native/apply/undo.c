#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Gives a staged file its place, if nothing is there. 0 or -1 with errno. */
static int put_back(int stage, const char *name, int folder, const char *base) {
  if (rename_with(stage, name, folder, base, NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  /* A file system without renames that never replace has hard links, which never replace either. */
  return linkat(stage, name, folder, base, 0);
}

/* Whether a staged file is the new side that was staged, and not another file in its place. */
static int is_own(const struct apply *apply, const struct change *change, const char *name) {
  struct stat status;
  return fstatat(apply->stage, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_ino == change->inode &&
         status.st_mtim.tv_sec == change->time.tv_sec && status.st_mtim.tv_nsec == change->time.tv_nsec;
}

static void undo_change(struct apply *apply, const struct step *step) {
  const struct change *change = &apply->changes.list[step->change];
  const char *base;
  staged_name new, out;
  staged(new, "new", step->change);
  staged(out, "out", step->change);
  int folder = folder_of(apply, change, &base);
  if (folder < 0) {
    apply->kept |= step->kind != STEP_ADDED;
    return;
  }
  switch (step->kind) {
    case STEP_TAKEN: apply->kept |= put_back(apply->stage, out, folder, base) != 0; break;
    case STEP_EXCHANGED:
      if (rename_with(folder, base, apply->stage, new, EXCHANGE) == 0)
        apply->kept |= !is_own(apply, change, new);
      else
        apply->kept |= put_back(apply->stage, new, folder, base) != 0;
      break;
    case STEP_ADDED:
      /* Another process may have changed or replaced the new file: then the new file stays. */
      if (renameat(folder, base, apply->stage, out) == 0 && !is_own(apply, change, out))
        apply->kept |= put_back(apply->stage, out, folder, base) != 0;
      break;
    default: break;
  }
  close(folder);
}

static void undo_folder(struct apply *apply, const struct step *step) {
  char path[PATH_MAX];
  const char *base;
  int folder = above_folder(apply, step->change, step->length, path, &base);
  if (folder < 0) {
    apply->kept |= step->kind == STEP_REMOVED;
    return;
  }
  if (step->kind == STEP_MADE)
    unlinkat(folder, base, AT_REMOVEDIR);
  else if (mkdirat(folder, base, step->mode) != 0 && errno != EEXIST)
    apply->kept = 1;
  close(folder);
}

void undo(struct apply *apply) {
  while (apply->count > 0) {
    const struct step *step = &apply->steps[--apply->count];
    if (step->kind == STEP_MADE || step->kind == STEP_REMOVED)
      undo_folder(apply, step);
    else
      undo_change(apply, step);
  }
}
