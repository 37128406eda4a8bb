/*
 * Shared parts of pyro-put, a one-shot program. A fatal error ends in put_end(), which takes back placed files, removes staged
 * ones, and reports the reason.
 */
#ifndef PYRO_PUT_H
#define PYRO_PUT_H

#include "beneath.h"
#include "path.h"
#include "plan.h"

#include <sys/types.h>

/* Exit statuses; the error record on stdout carries the same word. */
enum put_outcome {
  PUT_DONE = 0,
  PUT_FAILED = 1, /* the host failed in a way that has no better word */
  PUT_USAGE = 2,
  PUT_FULL = 3,      /* the file system is full */
  PUT_CONFLICT = 4,  /* a path is taken; conflict records name it */
  PUT_WITHDRAWN = 5, /* the input ended early */
  PUT_MALFORMED = 6, /* the input is no stream of entries */
};

struct put {
  struct plan plan;
  struct input input;
  const char *name; /* name of the root entry in the folder `base` */
  int base;
  int stage_home; /* folder of the staging folder: `base`, or the existing folder `name` */
  int stage;      /* -1 while there is none */
  int overwrite;
  char stage_name[32];
  size_t placed; /* entries that placing has handled; put_undo goes back from here */
};

/* put/end.c */
_Noreturn void put_end(struct put *put, enum put_outcome outcome, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Ends with the outcome that fits an errno. */
_Noreturn void put_fail(struct put *put, int error, const char *what, const char *path);

/* put/stage.c: the staging folder, space for the plan, and the plan's files, filled from the input. */
void stage_open(struct put *put);
void stage_fill(struct put *put);

/* put/place.c: reports conflicts, and ends the program if there are any. */
void place_check(struct put *put);
/* Gives everything its name, or nothing. */
void place_all(struct put *put);
/* put/pair.c: takes back what placing has handled. */
void place_undo(struct put *put);

#endif
