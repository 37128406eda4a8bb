/* The names in a directory, in the order of their bytes. */
#ifndef PYRO_NAMES_H
#define PYRO_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name {
  const char *text;
  bool directory; /* surely one; false when it is another thing, or not known */
};

struct names {
  struct name *items;
  size_t count;
  char *texts;
  size_t items_room, texts_room;
};

/* All names but "." and ".."; a name equal to `skip` in any case of ASCII letters is left out. Returns errno, or 0, and
 * then the names are to be freed. `fd`, from which nothing was read yet, stays open. For a helper, which is a process of its own:
 * what is freed is kept for the next names. */
int names_read(int fd, const char *skip, struct names *names);
void names_free(struct names *names);

#endif
