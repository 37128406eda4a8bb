/* Tells the host how much of what it sent has been read. The host sends bulk data no further ahead than its own limit: a command's
 * frames wait behind everything that was sent before them. */
#ifndef PYRO_TAKEN_H
#define PYRO_TAKEN_H

#include <stdbool.h>
#include <stddef.h>

/* A new host; counts from the frame after its HELLO. */
void taken_start(bool wanted);
/* Bytes of a handled frame. */
void taken_add(size_t size);
/* Sends what is due. False when the port has no room. */
bool taken_send(void);

#endif
