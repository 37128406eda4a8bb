/* Paths as text, without a look at the file system. */
#ifndef PYRO_PUT_PATH_H
#define PYRO_PUT_PATH_H

#include <stddef.h>

enum { PUT_NAME_MOST = 255 };

/* Last component of a path, and the length of the part before it without the slash. */
const char *path_base(const char *path, size_t *folder_length);
/* Whether every component names an entry of a folder, and nothing else. */
int plain_path(const char *path, size_t length);

#endif
