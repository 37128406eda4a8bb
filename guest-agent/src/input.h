/* The input of a stream: the host's bytes on their way to a pipe, terminal or socket. */
#ifndef PYRO_INPUT_H
#define PYRO_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "loop.h"
#include "sides.h"

struct input {
  struct source source;
  struct stream *stream;
  const struct side_reports *reports;
  int fd;      /* -1: without a reader, so input is discarded */
  bool exists; /* this stream takes input */
  bool pty, socket;
  bool watched; /* the loop reports room */
  bool writable;
  bool end_received;
  bool finished; /* and the end was passed on */
  bool ack_due;
  uint32_t credit; /* bytes that the host may send ahead */
  int error;       /* of a socket's write */
  uint8_t *buffer; /* ring of `credit` bytes, allocated when first needed */
  size_t head, held;
  uint64_t received, consumed; /* absolute; received - consumed == held */
  uint64_t acked;              /* told to the host */
};

void input_init(struct input *input, struct stream *stream, const struct side_reports *reports, uint32_t credit);
/* Takes ownership of a non-blocking descriptor. */
void input_open(struct input *input, int fd, bool pty, bool socket);
/* Its socket is connected and takes input from here on. */
void input_connected(struct input *input);
/* False for a gap, or more than the credit: the stream must fail. */
bool input_data(struct input *input, uint64_t offset, struct bytes data);
bool input_end(struct input *input, uint64_t offset);
/* The reader is gone: discards and acknowledges present and later input. */
void input_break(struct input *input);
void input_close(struct input *input);

#endif
