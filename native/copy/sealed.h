/* A file's content in memory that is sealed. */
#ifndef PYRO_SEALED_H
#define PYRO_SEALED_H

#include <sys/types.h>

/*
 * Copies the data in the first `size` bytes of `from` into a new nameless file in memory, and seals the file: no process can write to it,
 * punch holes in it or change its size, whatever its rights. 0 and its descriptor, or an errno.
 */
int sealed_copy(int from, off_t size, int *sealed);

#endif
