/* CHANGE: takes files away, puts files in place and moves files, all or none. */
#ifndef PYRO_CHANGE_H
#define PYRO_CHANGE_H

#include "decode.h"
#include "stream.h"

void change_files(struct stream *stream, const struct change_request *request);

#endif
