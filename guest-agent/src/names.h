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

/* All names but "." and ".." and, without regard to ASCII case, `skip`. Returns errno, or 0; then the caller frees the
 * names. `fd`, unread so far, stays open. Only for a helper process: freed memory is kept for the next names. */
int names_read(int fd, const char *skip, struct names *names);
void names_free(struct names *names);

#endif
