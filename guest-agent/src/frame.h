/* Cuts the host's byte stream into frames, and recovers after a cut. */
#ifndef PYRO_FRAME_H
#define PYRO_FRAME_H

#include <stdbool.h>

#include "wire.h"

enum { READER_CAPACITY = 2 * FRAME_MAX };

struct frame {
  uint32_t stream;
  uint8_t kind;
  const uint8_t *payload; /* in the reader's buffer, until frame_consume */
  size_t length;
};

struct frame_reader {
  size_t start; /* first byte not yet consumed */
  size_t end;   /* one past the last byte received */
  bool hunting; /* after a protocol error: drop all until HUNT_ZEROS zeros */
  size_t zeros; /* seen in a row while hunting */
  uint64_t errors;
  uint8_t data[READER_CAPACITY];
};

/* Place for the port's next bytes; *room is at least 1. */
uint8_t *frame_space(struct frame_reader *reader, size_t *room);
void frame_received(struct frame_reader *reader, size_t count);

/* Shows the next whole frame without consuming it; false when more bytes are needed. */
bool frame_peek(struct frame_reader *reader, struct frame *frame);
void frame_consume(struct frame_reader *reader, const struct frame *frame);

#endif
