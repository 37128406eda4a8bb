/* Content with holes in place of pages of zeros. */
#ifndef PYRO_PUT_HOLES_H
#define PYRO_PUT_HOLES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes bytes after the `at` bytes that a file has. Pages of zeros, and parts of pages, become holes. The file has at + length bytes
 * then; 0 or an errno.
 */
int holes_write(int fd, const char *bytes, size_t length, uint64_t at);

#endif
