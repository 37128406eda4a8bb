/* What the host's frames mean. */
#ifndef PYRO_CONNECTION_H
#define PYRO_CONNECTION_H

#include <stdbool.h>

/* Reads from the port once and handles every frame that can be handled now; true when there may be more at once. */
bool connection_receive(void);

#endif
