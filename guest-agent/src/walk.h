/* WALK: one record for every file beneath a directory. */
#ifndef PYRO_WALK_H
#define PYRO_WALK_H

#include "stream.h"

void walk(struct stream *stream, const struct walk_request *request);

#endif
