/* READ: a file's content, from an offset on. */
#ifndef PYRO_READ_H
#define PYRO_READ_H

#include "stream.h"

void read_file(struct stream *stream, const struct read_request *request);

#endif
