/* WRITE: input becomes a file, whole or not at all. */
#ifndef PYRO_WRITE_H
#define PYRO_WRITE_H

#include "stream.h"

void write_file(struct stream *stream, const struct write_request *request);

#endif
