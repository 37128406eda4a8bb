#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int rename_with(int from, const char *name, int to, const char *as, unsigned flags) {
  return (int)syscall(SYS_renameat2, from, name, to, as, flags);
}

void real_path(const struct put *put, const struct entry *entry, char path[PATH_MAX]) {
  snprintf(path, PATH_MAX, entry->length == 0 ? "%s%s" : "%s/%s", put->name, entry->path);
}

void pair_close(struct pair *pair) {
  if (pair->of != SIZE_MAX && pair->staged >= 0) close(pair->staged);
  if (pair->of != SIZE_MAX && pair->real >= 0) close(pair->real);
  pair->of = SIZE_MAX;
}

int pair_open(struct put *put, struct pair *pair, size_t index, char staged[PATH_MAX], char real[PATH_MAX], const char **staged_base,
              const char **real_base) {
  const struct entry *entry = &put->plan.entries[index];
  size_t staged_length, real_length, above = index == 0 ? SIZE_MAX - 1 : entry->parent;
  snprintf(staged, PATH_MAX, entry->length == 0 ? "root%s" : "root/%s", entry->path);
  real_path(put, entry, real);
  *staged_base = path_base(staged, &staged_length);
  *real_base = path_base(real, &real_length);
  if (pair->of == above) return 0;
  pair_close(pair);
  pair->staged = beneath(put->stage, staged, staged_length);
  if (pair->staged < 0) return -1;
  pair->real = beneath(put->base, real, real_length);
  if (pair->real < 0) {
    int error = errno;
    close(pair->staged);
    errno = error;
    return -1;
  }
  pair->of = above;
  return 0;
}

void place_undo(struct put *put) {
  char staged[PATH_MAX], real[PATH_MAX];
  struct pair pair = {.of = SIZE_MAX};
  for (size_t i = put->placed; i-- > 0;) {
    const struct entry *entry = &put->plan.entries[i];
    const char *name, *as;
    if (entry->state != ENTRY_MOVED && entry->state != ENTRY_EXCHANGED && entry->state != ENTRY_LINKED && entry->state != ENTRY_MADE)
      continue;
    if (pair_open(put, &pair, i, staged, real, &name, &as) != 0) continue;
    if (entry->state == ENTRY_MOVED)
      rename_with(pair.real, as, pair.staged, name, NOREPLACE);
    else if (entry->state == ENTRY_EXCHANGED)
      rename_with(pair.real, as, pair.staged, name, EXCHANGE);
    else
      unlinkat(pair.real, as, entry->state == ENTRY_MADE ? AT_REMOVEDIR : 0);
  }
  pair_close(&pair);
  put->placed = 0;
}
