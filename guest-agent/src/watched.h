/* The directories that a watch looks at, by their watch descriptors. One table per helper, which is a process of its own. */
#ifndef PYRO_WATCHED_H
#define PYRO_WATCHED_H

#include <stddef.h>

/* A watch costs the kernel about 1 KiB. */
enum { WATCHED_MAX = 8192 };

struct watched {
  struct watched *next; /* of the same bucket */
  int descriptor;
  char *path; /* relative to the watched directory; "" = that directory */
};

struct watched *watched_find(int descriptor);
/* Gives the descriptor a path, in place of an older one. 0, ENOMEM, or ENOSPC beyond WATCHED_MAX. */
int watched_add(int descriptor, const char *path);
void watched_forget(int descriptor);
/* A directory has another path now, with all that is beneath it. Forgets a path that memory has no room for. */
void watched_move(const char *from, const char *to);
/* Ends the watches of a directory and of all that is beneath it. */
void watched_end(int inotify, const char *path);
void watched_clear(void);

#endif
