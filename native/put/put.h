/*
 * pyro-put: what its parts share. It is a one-shot program: what cannot go on ends in put_end(), which takes back what was
 * placed, removes what was staged, and says why.
 */
#ifndef PYRO_PUT_H
#define PYRO_PUT_H

#include "plan.h"

#include <sys/types.h>

/* Exit statuses; the error record on stdout carries the same word. */
enum put_outcome {
    PUT_DONE = 0,
    PUT_FAILED = 1,    /* the host failed in a way that has no better word */
    PUT_USAGE = 2,
    PUT_FULL = 3,      /* the file system has no room for it */
    PUT_CONFLICT = 4,  /* something is in the way; conflict records say what */
    PUT_WITHDRAWN = 5, /* the input ended before it was complete */
    PUT_MALFORMED = 6, /* the input is no stream of entries */
};

struct put {
    struct plan plan;
    struct input input;
    const char *name; /* what the root entry becomes, in the folder `base` */
    int base;
    int stage_home; /* the folder with the staging folder in it: `base`, or what is there as `name` already */
    int stage;      /* -1 while there is none */
    int overwrite;
    char stage_name[32];
    size_t placed; /* entries that were looked at for placing; put_undo goes back from here */
};

/* Three fields, each ended by a NUL. Names in them are raw bytes. */
void put_report(const char *kind, const char *subject, const char *text);
_Noreturn void put_end(struct put *put, enum put_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends with the outcome that fits an errno. */
_Noreturn void put_fail(struct put *put, int error, const char *what, const char *path);

/* put/beneath.c: a folder beneath another, never through a symbolic link; a descriptor or -1 with errno. "" is `from` itself. */
int beneath(int from, const char *path, size_t length);
/* The same for a path that may go through symbolic links, as long as they lead nowhere else. */
int beneath_linked(int from, const char *path);
/* Removes a tree that only holds what was staged. */
void remove_tree(int folder, const char *name);

/* put/stage.c: the staging folder, room for the plan, and what the plan says, filled from the input. */
void stage_open(struct put *put);
void stage_fill(struct put *put);

/* put/place.c: what is in the way is reported, and ends the program when there is any. */
void place_check(struct put *put);
/* Gives everything its name, or nothing. */
void place_all(struct put *put);
void place_undo(struct put *put);

#endif
