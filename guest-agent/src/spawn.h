/* SPAWN: runs a command of the guest's in a cgroup of its own. */
#ifndef PYRO_SPAWN_H
#define PYRO_SPAWN_H

#include "stream.h"

/* Keeps a /dev/null of its own; errno, or 0. */
int spawn_init(void);
/* Makes ready what the next command will need; for when there is nothing else to do. */
void spawn_prepare(void);
void spawn(struct stream *stream, const struct spawn_request *request);

#endif
