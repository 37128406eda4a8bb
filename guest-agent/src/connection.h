/* Handles the host's frames. */
#ifndef PYRO_CONNECTION_H
#define PYRO_CONNECTION_H

#include <stdbool.h>

/* Reads from the port once and handles every ready frame; false if one has to wait. */
bool connection_receive(void);
/* A deferred frame can now be handled. */
bool connection_may_go_on(void);

#endif
