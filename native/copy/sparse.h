/* Copying and punching of sparse files in two threads, and the list of their data. */
#ifndef PYRO_SPARSE_H
#define PYRO_SPARSE_H

#include <stdio.h>
#include <sys/types.h>

/* Copies the data in the first `size` bytes of `from` to the same places of `to`, which reads as zeros; 0 or an errno. */
int sparse_copy(int from, int to, off_t size);

/* Copies the data in the first `size` bytes of `from` over those of `to`. Holes of `from` change nothing; 0 or an errno. */
int sparse_overlay(int from, int to, off_t size);

/*
 * Copies the pages in the first `size` bytes of `from` that differ from those of `base` to the same places of `to`, zeros too:
 * sparse_overlay of the result makes `from` out of `base`; 0 or an errno.
 */
int sparse_since(int from, int base, int to, off_t size);

/* Turns pages of zeros within the first `size` bytes of a file into holes; 0 or an errno. */
int sparse_punch(int fd, off_t size);

/* Writes a line with offset and length of each piece of data within the first `size` bytes of a file; 0 or an errno. */
int sparse_list(int fd, off_t size, FILE *out);

#endif
