#include "frame.h"

#include <string.h>

uint8_t *frame_space(struct frame_reader *reader, size_t *room) {
  if (reader->start == reader->end) {
    reader->start = reader->end = 0;
  } else if (READER_CAPACITY - reader->end < FRAME_MAX && reader->start > 0) {
    memmove(reader->data, reader->data + reader->start, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
  }
  *room = READER_CAPACITY - reader->end;
  return reader->data + reader->end;
}

void frame_received(struct frame_reader *reader, size_t count) { reader->end += count; }

static void lose_step(struct frame_reader *reader) {
  reader->errors++;
  reader->hunting = true;
  reader->zeros = 0;
}

static void hunt(struct frame_reader *reader) {
  while (reader->start < reader->end) {
    reader->zeros = reader->data[reader->start++] == 0 ? reader->zeros + 1 : 0;
    if (reader->zeros >= HUNT_ZEROS) {
      reader->hunting = false;
      return;
    }
  }
}

static void skip_filler(struct frame_reader *reader) {
  while (reader->start < reader->end && reader->data[reader->start] == 0) reader->start++;
}

static uint32_t be32(const uint8_t *at) { return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]; }

bool frame_peek(struct frame_reader *reader, struct frame *frame) {
  for (;;) {
    if (reader->hunting) hunt(reader);
    if (reader->hunting) return false;
    skip_filler(reader);
    size_t held = reader->end - reader->start;
    const uint8_t *at = reader->data + reader->start;
    if (held > 0 && at[0] != FRAME_MARK) {
      lose_step(reader);
      continue;
    }
    if (held < FRAME_HEADER) return false;
    size_t length = (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    if (length > PAYLOAD_MAX) {
      lose_step(reader);
      continue;
    }
    if (held < length + FRAME_OVERHEAD) return false;
    uint8_t end = at[FRAME_HEADER + length];
    if (end == FRAME_END) {
      *frame = (struct frame){be32(at + 4), at[8], at + FRAME_HEADER, length};
      return true;
    }
    /* A half frame that a new host's zeros completed: dropped unseen. */
    if (end == 0)
      reader->start += length + FRAME_OVERHEAD;
    else
      lose_step(reader);
  }
}

void frame_consume(struct frame_reader *reader, const struct frame *frame) { reader->start += frame->length + FRAME_OVERHEAD; }
