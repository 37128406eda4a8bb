/* The frame reader: for any bytes in any pieces, frames lie within the received bytes, and filler plus a HELLO always
 * recovers the reader. */
#include <stdlib.h>
#include <string.h>

#include "../src/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frame_reader reader;
static volatile uint8_t touched;

static unsigned feed(const uint8_t *bytes, size_t size, size_t piece) {
  unsigned count = 0;
  while (size > 0) {
    size_t room = 0;
    uint8_t *to = frame_space(&reader, &room);
    size_t now = size < piece ? size : piece;
    if (room == 0) abort();
    if (now > room) now = room;
    memcpy(to, bytes, now);
    frame_received(&reader, now);
    bytes += now;
    size -= now;
    struct frame frame;
    while (frame_peek(&reader, &frame)) {
      if (frame.length > PAYLOAD_MAX || frame.payload[frame.length] != FRAME_END) abort();
      for (size_t i = 0; i < frame.length; i++) touched ^= frame.payload[i];
      frame_consume(&reader, &frame);
      count++;
    }
  }
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t zeros[2 * HUNT_ZEROS];
  static const uint8_t hello[] = {FRAME_MARK, 0, 0, 1, 0, 0, 0, 0, KIND_HELLO, 42, FRAME_END};
  if (size < 1) return 0;
  reader.start = reader.end = reader.zeros = reader.errors = 0;
  reader.hunting = false;
  feed(data + 1, size - 1, (size_t)data[0] * 300 + 1);
  feed(zeros, sizeof zeros, 65536);
  if (feed(hello, sizeof hello, 4) != 1) abort();
  return 0;
}
