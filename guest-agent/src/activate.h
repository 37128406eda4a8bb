/* Sockets of the environment: the program behind a socket starts when a client connects. */
#ifndef PYRO_ACTIVATE_H
#define PYRO_ACTIVATE_H

#include <signal.h>
#include <stdbool.h>

/* Listens on each socket of the root's own list. Once, when the guest has its root for good. */
void activate_sockets(void);
/* Takes the end of a socket's program; false for another process. */
bool activate_reaped(const siginfo_t *info);

#endif
