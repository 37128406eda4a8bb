/* SPAWN: runs a command of the guest's in a cgroup of its own. */
#ifndef PYRO_SPAWN_H
#define PYRO_SPAWN_H

#include "stream.h"

/* Keeps a /dev/null of its own; errno, or 0. */
int spawn_init(void);
/* Prepares the next command; for idle time. -1, or the ms until the next call. */
int spawn_prepare(void);
void spawn(struct stream *stream, const struct spawn_request *request);
/* kill.c: SIGNAL. Ended targets and invalid signals are ignored. */
void kill_target(struct stream *stream, uint8_t target, uint32_t signal);

#endif
