#include "path.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t path_enter(struct path *path, const char *name) {
  size_t before = path->size, length = strlen(name), needed = before + 1 + length;
  if (needed > path->room) {
    size_t room = 2 * needed + PATH_MAX;
    char *text = realloc(path->text, room);
    if (text == NULL) return SIZE_MAX;
    path->text = text;
    path->room = room;
  }
  if (before > 0) path->text[path->size++] = '/';
  memcpy(path->text + path->size, name, length);
  path->size += length;
  return before;
}

void path_copy(const struct path *path, char *to, size_t room) {
  size_t size = path->size < room - 1 ? path->size : room - 1;
  if (size > 0) memcpy(to, path->text, size);
  to[size] = '\0';
}
