/* The list of entries for pyro-put: read from its input and checked before any other step. */
#ifndef PYRO_PUT_PLAN_H
#define PYRO_PUT_PLAN_H

#include "input.h"

enum {
  PUT_ENTRIES_MOST = 1 << 20,
  PUT_PATH_MOST = 3800, /* leaves room for the name of the root within PATH_MAX */
  PUT_TARGET_MOST = 4095,
  PUT_NAMES_MOST = 256 * 1024 * 1024, /* bytes of all paths and targets */
};

enum entry_state {
  ENTRY_NEW = 0,
  ENTRY_ABSENT,    /* its content was withdrawn: nothing was staged */
  ENTRY_THERE,     /* a folder that was there already, and stays */
  ENTRY_MADE,      /* a new folder in its place, on a file system that cannot move folders without replacing */
  ENTRY_MOVED,     /* moved from the staging folder to its place */
  ENTRY_WITH,      /* came along with a folder that was moved */
  ENTRY_EXCHANGED, /* the replaced file is in the staging folder */
  ENTRY_LINKED,    /* has a second name in the staging folder */
  ENTRY_REPLACED,  /* the replaced file is gone */
};

struct entry {
  char *path; /* relative to the root, which is the first entry and has an empty path */
  char *target;
  uint64_t size;
  int64_t time_ns; /* time of the last modification, if it is timed */
  uint32_t length;
  uint32_t parent;
  uint16_t mode;
  char type;  /* d, f or l */
  char state; /* enum entry_state */
  char timed;
};

struct plan {
  struct entry *entries;
  size_t count, room, names;
  uint64_t bytes;
};

/*
 * Integers are big endian. Entries, each a u8 `d`, `f` or `l`, u16 mode, u64 size, u32 and path, u32 and target of a link; then a
 * u8 `e`. A `t` is a file with a time: the i64 of its nanoseconds follows the path. The root comes first, with an empty path. Parents come
 * before their children, and a folder's entries together. Returns NULL, or the problem; `*ended` if the input only ended early.
 */
const char *plan_read(struct plan *plan, struct input *input, int *ended);
void plan_free(struct plan *plan);

#endif
