/*
 * The directory in which a change keeps taken and new files until it is complete. The next change finds the directory of a writer
 * that was killed with its VM, and puts its taken files back.
 */
#ifndef PYRO_STAGE_H
#define PYRO_STAGE_H

#include <stdint.h>

#include "draft.h"

struct stage {
  int fd; /* locked while its writer lives */
  char name[DRAFT_NAME];
};

/* A new one beneath `root`: errno, or 0. */
int stage_open(int root, struct stage *stage);
/* Notes the path of a file before it is taken under `number`, in the same transaction of the file system. */
int stage_note(const struct stage *stage, uint32_t number, const char *path);
/* Removes it with its remaining files, of at most `count` changes. */
void stage_remove(int root, const struct stage *stage, uint32_t count);
/* Puts back the files of stages without a writer, at free paths, and removes the stages. */
void stages_recover(int root);

#endif
