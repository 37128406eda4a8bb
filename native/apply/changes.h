/* The list of changes for pyro-apply: read from its input and checked before any other step. */
#ifndef PYRO_APPLY_CHANGES_H
#define PYRO_APPLY_CHANGES_H

#include "../put/input.h"

#include <time.h>

enum {
  APPLY_CHANGES_MOST = 1 << 20,
  APPLY_PATH_MOST = 3800,
  APPLY_TARGET_MOST = 4095,
  APPLY_NAMES_MOST = 256 * 1024 * 1024, /* bytes of all paths */
};

enum change_state {
  CHANGE_DUE = 0,  /* the host has the old side */
  CHANGE_THERE,    /* the host has the new side already */
  CHANGE_UNFOLDED, /* due, in place of a folder that the list empties */
  CHANGE_BAD,      /* the host has neither side */
};

/* A file before or after: `-` none, `f` a file, `x` an executable file, `l` a link, whose content is its target. */
struct side {
  char kind;
  uint64_t size;
};

struct change {
  char *path;
  struct side old, new;
  char state;     /* enum change_state */
  uint64_t inode; /* of the staged new side, with its time */
  struct timespec time;
};

struct changes {
  struct change *list;
  size_t count, room, names;
  uint64_t bytes;
};

/*
 * Integers are big endian. Changes, each a u8 `c`, u32 and path, then for the old and the new side a u8 kind and u64 size; then a u8
 * `e`. Returns NULL, or the problem; `*ended` if the input only ended early.
 */
const char *changes_read(struct changes *changes, struct input *input, int *ended);
void changes_free(struct changes *changes);

#endif
