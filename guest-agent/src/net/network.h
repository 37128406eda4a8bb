/* NETWORK: brings the TCP connections and DNS questions of the guest's programs to the host. */
#ifndef PYRO_NETWORK_H
#define PYRO_NETWORK_H

#include <stdbool.h>

#include "../decode.h"

/* A local process steers only in a network namespace of its own. */
void network_allow_local(void);
bool network_allowed_local(void);
/* Loads programs, opens sockets and adds the routes' table, once. A failure is told by network_on. */
void network_prepare(void);
/* 0 or errno with the failed step in *what. Both may be called again. `untouched`: no program of a workspace has run since
 * network_prepare. */
int network_on(bool untouched, const char **what);
int network_off(const char **what);

/* The host's ANSWER. */
void network_answer(const struct answer *answer);
/* Time until network_expire has something to do, in ms; -1 = nothing. */
int network_delay_ms(void);
void network_expire(void);

#endif
