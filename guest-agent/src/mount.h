/* Mounting, and moving to another root; each returns errno, or 0. */
#ifndef PYRO_MOUNT_H
#define PYRO_MOUNT_H

#include <stddef.h>

/* Creates the target directory when it is missing; "" for type or data means none. */
int mount_at(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int unmount_at(const char *target, int flags);
/* As switch_root(8): /proc, /sys, /dev and /run move along, then `path` becomes /. `detail` names the failed step. */
int switch_root(const char *path, char *detail, size_t room);
/* The same for a visit: "" returns from `path` to the previous root with the moved mounts. One visit at a time. */
int visit_root(const char *path, char *detail, size_t room);

#endif
