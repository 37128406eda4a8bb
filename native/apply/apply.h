/*
 * Shared parts of pyro-apply, a one-shot program. A fatal error ends in apply_end(), which takes back what was placed, removes staged
 * files, and reports the reason.
 */
#ifndef PYRO_APPLY_H
#define PYRO_APPLY_H

#include "../put/beneath.h"
#include "../put/path.h"
#include "changes.h"

#include <limits.h>
#include <sys/stat.h>

/* Exit statuses; the error record on stdout carries the same word. They are those of pyro-put. */
enum apply_outcome {
  APPLY_DONE = 0,
  APPLY_FAILED = 1, /* the host failed in a way that has no better word */
  APPLY_USAGE = 2,
  APPLY_FULL = 3,      /* the file system is full */
  APPLY_CONFLICT = 4,  /* a path is not as expected; conflict records name it */
  APPLY_WITHDRAWN = 5, /* the input ended early */
  APPLY_MALFORMED = 6, /* the input is no list of changes */
};

enum step_kind {
  STEP_TAKEN,     /* the host's file is the staged `out` */
  STEP_EXCHANGED, /* the host's file is the staged `new` */
  STEP_ADDED,     /* the staged `new` has its place */
  STEP_MADE,      /* a new folder */
  STEP_REMOVED,   /* an emptied folder */
};

/* One step of placing, in order. */
struct step {
  enum step_kind kind;
  size_t change;
  size_t length; /* of STEP_MADE and STEP_REMOVED: the folder is so much of the change's path */
  mode_t mode;   /* of STEP_REMOVED */
};

struct apply {
  struct changes changes;
  struct input input;
  int root; /* the folder that the paths are relative to */
  int stage_home;
  int stage; /* -1 while there is none */
  char stage_name[32];
  int kept; /* the staging folder has something of the host's that could not be put back */
  struct step *steps;
  size_t count, room;
};

typedef char staged_name[32];

/* apply/names.c. Of a staged file: `old` and `new` are the sides of a change, `out` is what the host had. */
void staged(staged_name name, const char *what, size_t change);
/* The folder of a change's path, or -1 with errno; `*base` is its last component. */
int folder_of(const struct apply *apply, const struct change *change, const char **base);
/* The folder that holds the folder of a step, or -1 with errno; `folder` gets the folder's path, and `*base` is its last component. */
int above_folder(const struct apply *apply, size_t change, size_t length, char folder[PATH_MAX], const char **base);
int rename_with(int from, const char *name, int to, const char *as, unsigned flags);
enum { NOREPLACE = 1, EXCHANGE = 2 }; /* of renameat2 */

/* apply/end.c */
_Noreturn void apply_end(struct apply *apply, enum apply_outcome outcome, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Ends with the outcome that fits an errno. */
_Noreturn void apply_fail(struct apply *apply, int error, const char *what, const char *path);
/* Ends with one conflict that came up while placing. */
_Noreturn void apply_conflict(struct apply *apply, const struct change *change, const char *why);

/* apply/stage.c: the staging folder, and both sides of each change in it, from the input. */
void stage_open(struct apply *apply, int is_check);
void stage_fill(struct apply *apply);

/* apply/look.c: whether the host has the expected files. Ends the program if it has not. */
void look(struct apply *apply);
/* NULL if the file `name` in `folder` is this side of the change; else the reason for a conflict. */
const char *differs(struct apply *apply, int folder, const char *name, size_t change, const char *what);
/* Whether a change removes a file beneath the path of another one. */
int removes_beneath(const struct change *change, const struct change *above);

/* apply/place.c: changes the host's files, all or none. */
void place(struct apply *apply);
/* apply/undo.c: takes the steps back, the last one first. */
void undo(struct apply *apply);

#endif
