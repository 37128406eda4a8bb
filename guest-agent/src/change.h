/* CHANGE: files are taken away, put in place and moved, all of them or none. */
#ifndef PYRO_CHANGE_H
#define PYRO_CHANGE_H

#include "decode.h"
#include "stream.h"

void change_files(struct stream *stream, const struct change_request *request);

#endif
