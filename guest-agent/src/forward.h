/* CONNECT: a TCP connection to a port of the guest's own. */
#ifndef PYRO_FORWARD_H
#define PYRO_FORWARD_H

#include "stream.h"

void forward(struct stream *stream, const struct connect_request *request);
/* One of its directions ended. The end of both ends the stream. */
void forward_changed(struct stream *stream);

#endif
