#ifndef PYRO_KILL_H
#define PYRO_KILL_H

#include "stream.h"

/* SIGNAL. Ended targets and invalid signals are ignored. */
void kill_target(struct stream *stream, uint8_t target, uint32_t signal);

#endif
