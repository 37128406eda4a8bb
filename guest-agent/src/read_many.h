/* READ_MANY: the contents of many small files, one after the other. */
#ifndef PYRO_READ_MANY_H
#define PYRO_READ_MANY_H

#include "stream.h"

void read_many(struct stream *stream, const struct read_many_request *request);

#endif
