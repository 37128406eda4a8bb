/* COMPARE: differences of two trees. */
#ifndef PYRO_COMPARE_H
#define PYRO_COMPARE_H

#include "stream.h"

void compare(struct stream *stream, const struct compare_request *request);

#endif
