/* The frame reader finds its way back from any cut and any garbage. */
#include <stdlib.h>
#include <string.h>

#include "../src/encode.h"
#include "../src/frame.h"
#include "check.h"

enum { STREAM = 7, TAKEOVER_ZEROS = 2 * HUNT_ZEROS };

static struct frame_reader reader;

/* Feeds bytes in pieces and counts the frames; the last one is in *last (its payload is gone). */
static unsigned feed(const uint8_t *bytes, size_t size, size_t piece, struct frame *last) {
  unsigned count = 0;
  while (size > 0) {
    size_t room = 0;
    uint8_t *to = frame_space(&reader, &room);
    size_t now = size < piece ? size : piece;
    if (now > room) now = room;
    memcpy(to, bytes, now);
    frame_received(&reader, now);
    bytes += now;
    size -= now;
    struct frame frame;
    while (frame_peek(&reader, &frame)) {
      frame_consume(&reader, &frame);
      *last = frame;
      count++;
    }
  }
  return count;
}

static size_t make_frame(uint8_t *to, uint8_t kind, size_t length) {
  static uint8_t payload[PAYLOAD_MAX];
  for (size_t i = 0; i < length; i++) payload[i] = (uint8_t)(i * 7 + 1);
  struct writer writer = frame_begin(to, FRAME_MAX, STREAM, kind);
  put_raw(&writer, payload, length);
  return frame_finish(&writer);
}

static void test_pieces(void) {
  static uint8_t bytes[2 * FRAME_MAX + 100];
  size_t size = make_frame(bytes, KIND_CALL, 5);
  memset(bytes + size, 0, 30); /* filler */
  size += 30;
  size += make_frame(bytes + size, KIND_DATA_IN, PAYLOAD_MAX);
  static const size_t pieces[] = {1, 2, 9, 10, 4096, 65536, sizeof bytes};
  test_begin("frames arrive whole in pieces of any size, filler between them is skipped");
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    struct frame last = {0};
    memset(&reader, 0, sizeof reader);
    CHECK(feed(bytes, size, pieces[i], &last) == 2);
    CHECK(last.kind == KIND_DATA_IN && last.stream == STREAM && last.length == PAYLOAD_MAX && !reader.hunting);
  }
}

static void test_every_cut(void) {
  static uint8_t whole[64], zeros[TAKEOVER_ZEROS], hello[64];
  size_t size = make_frame(whole, KIND_DATA_IN, 30), hello_size = make_frame(hello, KIND_HELLO, 20);
  test_begin("after a cut anywhere in a frame, zeros and a HELLO give exactly the HELLO");
  for (size_t cut = 0; cut < size; cut++) {
    struct frame last = {0};
    memset(&reader, 0, sizeof reader);
    unsigned count = feed(whole, cut, 3, &last);
    count += feed(zeros, sizeof zeros, 65536, &last);
    count += feed(hello, hello_size, 7, &last);
    CHECK(count == 1 && last.kind == KIND_HELLO);
  }
}

static void test_largest_cut(void) {
  static uint8_t whole[FRAME_MAX], zeros[TAKEOVER_ZEROS], hello[64];
  size_t size = make_frame(whole, KIND_DATA_IN, PAYLOAD_MAX), hello_size = make_frame(hello, KIND_HELLO, 20);
  test_begin("also in the largest frame");
  for (size_t cut = 0; cut < size; cut += 997) {
    struct frame last = {0};
    memset(&reader, 0, sizeof reader);
    unsigned count = feed(whole, cut, 65536, &last);
    count += feed(zeros, sizeof zeros, 65536, &last);
    count += feed(hello, hello_size, 65536, &last);
    CHECK(count == 1 && last.kind == KIND_HELLO);
  }
}

static void test_garbage(void) {
  static uint8_t garbage[200000], zeros[TAKEOVER_ZEROS], hello[64];
  size_t hello_size = make_frame(hello, KIND_HELLO, 20);
  test_begin("after any garbage too");
  srandom(1);
  for (unsigned round = 0; round < 50; round++) {
    struct frame last = {0};
    for (size_t i = 0; i < sizeof garbage; i++) garbage[i] = (uint8_t)random();
    memset(&reader, 0, sizeof reader);
    feed(garbage, (size_t)random() % sizeof garbage, 65536, &last);
    feed(zeros, sizeof zeros, 65536, &last);
    CHECK(feed(hello, hello_size, 65536, &last) == 1 && last.kind == KIND_HELLO && last.length == 20);
  }
}

static void test_hunt(void) {
  static uint8_t zeros[HUNT_ZEROS - 1], hello[64];
  size_t hello_size = make_frame(hello, KIND_HELLO, 20);
  struct frame last = {0};
  test_begin("a length over the limit is an error, and only 65,536 zeros in a row end the hunt");
  memset(&reader, 0, sizeof reader);
  CHECK(feed((const uint8_t[]){FRAME_MARK, 0xff, 0xff, 0xff, 0, 0, 0, 1, 1}, 9, 9, &last) == 0 && reader.hunting);
  CHECK(feed(zeros, sizeof zeros, 65536, &last) == 0);
  CHECK(feed(hello, hello_size, 65536, &last) == 0 && reader.hunting && reader.errors == 1);
  CHECK(feed(zeros, sizeof zeros, 65536, &last) == 0);
  CHECK(feed((const uint8_t[]){0}, 1, 1, &last) == 0 && !reader.hunting);
  CHECK(feed(hello, hello_size, 65536, &last) == 1);
}

void test_reader(void) {
  test_pieces();
  test_every_cut();
  test_largest_cut();
  test_garbage();
  test_hunt();
}
