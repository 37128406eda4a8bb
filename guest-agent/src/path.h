/* The path of the entry at hand while a tree is walked: bytes, without NUL, relative to the walked directory. */
#ifndef PYRO_PATH_H
#define PYRO_PATH_H

#include <stddef.h>

struct path {
  char *text;
  size_t size, room;
};

/* Appends "/name"; the size to go back to, or SIZE_MAX when memory is out. */
size_t path_enter(struct path *path, const char *name);
/* As C string in `to`, cut to its size. */
void path_copy(const struct path *path, char *to, size_t room);

#endif
