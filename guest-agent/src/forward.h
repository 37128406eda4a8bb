/* CONNECT: a TCP connection to a port of the guest's own. */
#ifndef PYRO_FORWARD_H
#define PYRO_FORWARD_H

#include "stream.h"

void forward(struct stream *stream, const struct connect_request *request);
/* One of its directions ended. The end of both ends the stream. */
void forward_changed(struct stream *stream);
/* Whether the stream is a TCP connection: of CONNECT or ACCEPT. */
bool forward_is_connection(const struct stream *stream);
/* The connection is about to be closed before its end: the other side gets RST. */
void forward_reset(const struct stream *stream);

#endif
