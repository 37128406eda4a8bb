/* The changes in the input of a CHANGE. */
#ifndef PYRO_CHANGE_PLAN_H
#define PYRO_CHANGE_PLAN_H

#include <stdint.h>
#include <sys/stat.h>

enum { CHANGES_MAX = 400 * 1000, STAGED_NAME_MAX = 16 };

enum change_kind { CHANGE_TAKE = 1, CHANGE_FILE = 2, CHANGE_LINK = 3, CHANGE_MOVE = 4 };

/* Known state of a file to take, which must be unchanged. */
struct seen {
  uint64_t ino, size, mtime_ns, ctime_ns;
};

struct change {
  enum change_kind kind;
  char *path;
  uint32_t mode;  /* FILE, MOVE: permission bits; 0 = as the taken file, else 0644 */
  uint32_t taken; /* FILE, MOVE: number of the change that took the file, from 1; 0 = none */
  struct seen seen;
  struct stat status; /* TAKE: state of the taken file */
};

struct changes {
  struct change *items;
  uint32_t count, room;
};

/* Reads the records of descriptor 0 to their end. Content goes into the directory `stage`. Returns errno; EBADMSG for a
 * malformed record. */
int changes_read(struct changes *changes, int stage);
void changes_free(struct changes *changes);
/* Name in the stage of a file that a change takes or puts in place. */
void change_staged_name(char name[STAGED_NAME_MAX], uint32_t number);

#endif
