/* Opening files beneath a directory, whatever links a guest has put there. */
#ifndef PYRO_BENEATH_H
#define PYRO_BENEATH_H

#include <stdbool.h>
#include <sys/types.h>

/* Says that this is a VM's agent: its /workspace is a mount. */
void beneath_in_guest(void);
/* The directory that paths are resolved beneath ("": /; BASELINE_ROOT: the baseline); -1 with errno, ENODEV for an unmounted
 * /workspace. */
int open_root(const char *root);
/* EUCLEAN where the kernel has met damage on the workspace's disk and `root` is that disk's: what was seen may be less than there is. */
int damage_of_root(const char *root);
/* As openat2 with RESOLVE_BENEATH: -1 with EXDEV for what leads out. "" and "." are the root itself; leading slashes
 * are ignored. Never waits for a FIFO or takes a terminal. */
int open_beneath(int root, const char *path, int flags, mode_t mode, bool follow_links);
/* The path that the link `path` leads to, resolved like it beneath `root`: to be freed; NULL with errno, EXDEV for an absolute one. */
char *follow_beneath(int root, const char *path);
/* The directory that holds `path`, and its last component in *name (within `path`). Makes the missing ones when `make`. */
int open_parent_beneath(int root, const char *path, bool make, const char **name);

#endif
