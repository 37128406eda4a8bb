/* ACCEPT: the pending connection of a program of the guest becomes a stream. */
#ifndef PYRO_ACCEPT_H
#define PYRO_ACCEPT_H

#include "../stream.h"

/* Takes connections from a listener; 0, or -1 with errno. */
int accept_watch(int listener);
void accept_request(struct stream *stream, const struct accept_request *request);
/* Resets the connections that no stream has taken yet. */
void accept_reset_waiting(void);

#endif
