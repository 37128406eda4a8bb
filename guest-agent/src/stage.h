/*
 * The directory in which a change keeps what it takes, and what it puts in place, until all of it is done. One whose writer was
 * killed, with its VM, is found by the next change: what it had taken is put back.
 */
#ifndef PYRO_STAGE_H
#define PYRO_STAGE_H

#include <stdint.h>

struct stage {
  int fd; /* locked while its writer lives */
  char name[48];
};

/* A new one beneath `root`: errno, or 0. */
int stage_open(int root, struct stage *stage);
/* Notes where the file was that is taken under `number`, before it is: in one transaction of the file system with the taking. */
int stage_note(const struct stage *stage, uint32_t number, const char *path);
/* Removes it with what is left in it, of at most `count` changes. */
void stage_remove(int root, const struct stage *stage, uint32_t count);
/* Puts back what stages without a writer had taken, where nothing is by now, and removes them. */
void stages_recover(int root);

#endif
