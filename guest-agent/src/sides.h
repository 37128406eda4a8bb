/* Reports from the sides of a stream (its input and its outputs) to the stream. A side knows nothing else of its stream. */
#ifndef PYRO_SIDES_H
#define PYRO_SIDES_H

#include "wire.h"

struct stream;

struct side_reports {
  /* Something changed that may have to be sent. */
  void (*changed)(struct stream *stream);
  /* All input is written and the host ended it. */
  void (*input_complete)(struct stream *stream);
  void (*fail)(struct stream *stream, int error, enum step step, const char *detail);
};

#endif
