/* What the input of a CHANGE asks for. */
#ifndef PYRO_CHANGE_PLAN_H
#define PYRO_CHANGE_PLAN_H

#include <stdint.h>
#include <sys/stat.h>

enum { CHANGES_MAX = 400 * 1000, STAGED_NAME_MAX = 16 };

enum change_kind { CHANGE_TAKE = 1, CHANGE_FILE = 2, CHANGE_LINK = 3, CHANGE_MOVE = 4 };

/* What was seen of a file that is to be taken; it must not have changed since. */
struct seen {
  uint64_t ino, size, mtime_ns, ctime_ns;
};

struct change {
  enum change_kind kind;
  char *path;
  uint32_t mode;  /* FILE, MOVE: permission bits; 0 = as the taken one's, else 0644 */
  uint32_t taken; /* FILE, MOVE: number of the change that took it, from 1; 0 = none */
  struct seen seen;
  struct stat status; /* TAKE: of what was taken */
};

struct changes {
  struct change *items;
  uint32_t count, room;
};

/* Reads the records of descriptor 0 until they end; content goes into the directory `stage`. errno; EBADMSG for what is no record. */
int changes_read(struct changes *changes, int stage);
void changes_free(struct changes *changes);
/* Name in the stage of what a change takes, or puts in place. */
void change_staged_name(char name[STAGED_NAME_MAX], uint32_t number);

#endif
