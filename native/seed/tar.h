/*
 * A tar stream, entry by entry: ustar, pax, GNU long names, the old format. Every byte may be hostile. This part opens and makes no
 * file.
 */
#ifndef PYRO_SEED_TAR_H
#define PYRO_SEED_TAR_H

#include "pax.h"

#include <sys/types.h>

enum { TAR_BLOCK = 512, TAR_BUFFER = 256 * 1024 };

struct tar {
  ssize_t (*read)(void *context, void *bytes, size_t length); /* as read(2) */
  void *context;
  uint64_t limit;  /* maximum bytes of the stream */
  uint64_t offset; /* bytes of the stream so far */
  uint64_t left;   /* unread content of the current entry */
  size_t padding;  /* after that, up to the next header */
  uint64_t entries;
  struct tar_extra once;
  struct tar_extra always;
  struct tar_text path; /* of the current entry, from the header */
  struct tar_text link;
  char problem[160];
  unsigned char *buffer;
  size_t start;
  size_t end;
};

struct tar_entry {
  char type; /* '0' regular, '1' hard link, '2' symlink, '5' directory, others as in the header */
  const struct tar_text *path;
  const struct tar_text *link;
  uint64_t size;
  int64_t mtime;
  uint32_t mtime_ns;
  uint32_t mode;
  bool sparse;     /* its content is a map of holes, in one of GNU tar's encodings */
  bool attributes; /* extended attributes, which `attribute_counts` counts, or an access control list */
};

void tar_start(struct tar *tar, ssize_t (*read)(void *, void *, size_t), void *context, uint64_t limit);
void tar_end(struct tar *tar);

/* 1 an entry, 0 the end of the archive, -1 damage, which tar->problem describes. */
int tar_next(struct tar *tar, struct tar_entry *entry);

/* Exactly `length` bytes of the current entry's content, at most its rest: 0, or -1 with tar->problem. */
int tar_content(struct tar *tar, void *bytes, size_t length);

#endif
