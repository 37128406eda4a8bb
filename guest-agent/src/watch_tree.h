/* Records of a watch, and the watches of a tree of directories. */
#ifndef PYRO_WATCH_TREE_H
#define PYRO_WATCH_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Longer paths of a tree are not watched. */
enum { WATCH_PATH = 4096 };

struct watch {
  int inotify;
  /* The watched directory, which no descriptor holds: the kernel tells its end only after the last one. */
  int root;
  const char *path;
  dev_t device; /* other file systems beneath it are not watched */
  ino_t inode;  /* 0 = not known yet */
  bool recursive;
  bool told_unwatched; /* of this look at the tree */
};

/* u32 length, u8 what, u8 whether a directory, str path, str old path. 0, or errno of the pipe. */
int watch_tell(uint8_t what, bool is_directory, const char *path, const char *old);
/* `name` in the directory `folder` ("" = the watched one), which may be `to` itself; false if the path is too long. */
bool watch_join(char to[WATCH_PATH], const char *folder, const char *name);
/* Watches the directory at `path` and all beneath it. `told`: tells what is there as created. 0 or errno, ESTALE for another watched
 * directory than before; another directory that vanished or cannot be watched is no error. */
int watch_add(struct watch *watch, const char *path, bool told);

#endif
