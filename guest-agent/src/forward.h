/* CONNECT: a TCP connection to a port of the guest's own. */
#ifndef PYRO_FORWARD_H
#define PYRO_FORWARD_H

#include "stream.h"

void forward(struct stream *stream, const struct connect_request *request);
/* Also of ACCEPT: one of the directions may have ended. The end of both ends the stream. */
void forward_changed(struct stream *stream);
/* The connection is about to be closed before its end: the other side gets RST. */
void forward_reset(struct stream *stream);

#endif
