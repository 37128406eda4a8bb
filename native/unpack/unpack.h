/*
 * pyro-unpack: reads an archive of libarchive's formats from stdin and writes its entries to stdout as a tar stream of GNU tar's
 * format. pyro-seed reads the stream. Every byte of the archive may be hostile.
 */
#ifndef PYRO_UNPACK_H
#define PYRO_UNPACK_H

#include <stddef.h>

struct archive;

/* unpack/confine.c: from here on the process can read and write open descriptors, allocate memory and end. False: errno says why. */
int confine(void);

/* unpack/convert.c: a reader of zip and 7z archives and a writer of GNU tar streams; NULL without memory. */
struct archive *convert_reader(void);
struct archive *convert_writer(void);

/* Copies all entries. Returns 0, or -1 with the reason in `problem`. */
int convert(struct archive *from, struct archive *to, char *problem, size_t room);

#endif
