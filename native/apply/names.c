#include "apply.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void staged(staged_name name, const char *what, size_t change) { snprintf(name, sizeof(staged_name), "%s-%zu", what, change); }

int folder_of(const struct apply *apply, const struct change *change, const char **base) {
  size_t length;
  *base = path_base(change->path, &length);
  return beneath(apply->root, change->path, length);
}

int above_folder(const struct apply *apply, size_t change, size_t length, char folder[PATH_MAX], const char **base) {
  size_t above;
  memcpy(folder, apply->changes.list[change].path, length);
  folder[length] = '\0';
  *base = path_base(folder, &above);
  return beneath(apply->root, folder, above);
}

int rename_with(int from, const char *name, int to, const char *as, unsigned flags) {
  return (int)syscall(SYS_renameat2, from, name, to, as, flags);
}
