#ifndef PYRO_KILL_H
#define PYRO_KILL_H

#include "stream.h"

/* SIGNAL; what has ended already, and what names no signal, is left alone. */
void kill_target(struct stream *stream, uint8_t target, uint32_t signal);

#endif
