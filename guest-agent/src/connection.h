/* What the host's frames mean. */
#ifndef PYRO_CONNECTION_H
#define PYRO_CONNECTION_H

#include <stdbool.h>

/* Reads from the port once and handles every frame that can be handled now; false when one waits for something else. */
bool connection_receive(void);
/* A frame that waited can be handled now. */
bool connection_may_go_on(void);

#endif
