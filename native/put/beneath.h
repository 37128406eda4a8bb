/* Paths beneath a folder, never through a symbolic link. */
#ifndef PYRO_PUT_BENEATH_H
#define PYRO_PUT_BENEATH_H

#include <stddef.h>

/* A folder beneath another, never through a symbolic link; a descriptor or -1 with errno. "" is `from` itself. */
int beneath(int from, const char *path, size_t length);
/* The folder of a path without any symbolic link. */
int without_links(const char *path);
/* Removes a tree of staged files only. */
void remove_tree(int folder, const char *name);

#endif
