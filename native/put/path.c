#include "path.h"

#include <string.h>

const char *path_base(const char *path, size_t *folder_length) {
  const char *slash = strrchr(path, '/');
  *folder_length = slash == NULL ? 0 : (size_t)(slash - path);
  return slash == NULL ? path : slash + 1;
}

int plain_path(const char *path, size_t length) {
  for (size_t start = 0, end = 0;; end++) {
    if (end < length && path[end] == '\0') return 0;
    if (end < length && path[end] != '/') continue;
    size_t name = end - start;
    if (name == 0 || name > PUT_NAME_MOST || (name == 1 && path[start] == '.') ||
        (name == 2 && path[start] == '.' && path[start + 1] == '.'))
      return 0;
    if (end == length) return 1;
    start = end + 1;
  }
}
