/* The folders of an entry in the staging tree and in the real one. Reports nothing, and ends nothing. */
#ifndef PYRO_PUT_PAIR_H
#define PYRO_PUT_PAIR_H

#include "put.h"

#include <limits.h>

/* Of renameat2. */
enum { NOREPLACE = 1, EXCHANGE = 2 };

/* Kept open for neighbouring entries. `of` is SIZE_MAX when closed. */
struct pair {
  size_t of;
  int staged, real;
};

/* Opens the missing ones; 0, or -1 with errno. `staged` and `real` then name the entry's folders. */
int pair_open(struct put *put, struct pair *pair, size_t index, char staged[PATH_MAX], char real[PATH_MAX], const char **staged_base,
              const char **real_base);
void pair_close(struct pair *pair);

/* Path of an entry in the folder `base`. */
void real_path(const struct put *put, const struct entry *entry, char path[PATH_MAX]);
int rename_with(int from, const char *name, int to, const char *as, unsigned flags);

#endif
