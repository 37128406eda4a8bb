/* Opens files beneath a directory, safe against any links of a guest. */
#ifndef PYRO_BENEATH_H
#define PYRO_BENEATH_H

#include <stdbool.h>
#include <sys/types.h>

/* Says that this is a VM's agent: its /workspace is a mount. */
void beneath_in_guest(void);
/* The directory that paths are resolved beneath ("": /; BASELINE_ROOT: the baseline); -1 with errno, ENODEV for an unmounted
 * /workspace. */
int open_root(const char *root);
/* The same for `path` beneath it. `in_root`: from now on links and `..` lead where they lead for a program whose root the directory is, and
 * never out of it. Only for a helper. */
int open_root_of(const char *root, const char *path, bool in_root);
/* Whether a /workspace that was opened is not the directory of the workspace's disk, of which `baseline` is the seed: the guest's root
 * mounted something over it. */
bool is_covered(const char *root, int workspace, const char *other_root, int baseline);
/* EUCLEAN if the kernel has found damage on the workspace's disk and the path is on it: a listing may be incomplete. */
int damage_of_root(const char *root, const char *path);
/* As openat2 with RESOLVE_BENEATH, or RESOLVE_IN_ROOT after `open_root_of`: -1 with EXDEV for a path that leads out. "" and "." are
 * the root itself; leading slashes are ignored. Never waits for a FIFO or acquires a terminal. */
int open_beneath(int root, const char *path, int flags, mode_t mode, bool follow_links);
/* The target of the link `path`, resolved beneath `root`. The caller frees it. NULL with errno; EXDEV for an absolute one,
 * unless links lead anywhere in the root. */
char *follow_beneath(int root, const char *path);
/* The directory that holds `path`, and its last component in *name (within `path`). Makes the missing ones when `make`. */
int open_parent_beneath(int root, const char *path, bool make, const char **name);

#endif
