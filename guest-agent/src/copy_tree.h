/* Copies a file or a tree. */
#ifndef PYRO_COPY_TREE_H
#define PYRO_COPY_TREE_H

#include <stdint.h>

struct copied {
  uint64_t entries, bytes;
  uint64_t skipped; /* devices, sockets, FIFOs and mounts */
};

/* Copies the open file or directory `from` to the new entry `name` of a directory: content, links, permissions and times, all owned by the
 * owner of the directory. ECANCELED after SIGTERM, which the caller has blocked. 0 or errno; the caller removes what is there then. */
int copy_tree(int from, int parent, const char *name, struct copied *copied);

#endif
