#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "call.h"
#include "files.h"
#include "forward.h"
#include "frame.h"
#include "net/accept.h"
#include "net/hold.h"
#include "net/network.h"
#include "port.h"
#include "pty.h"
#include "spawn.h"
#include "stream.h"
#include "taken.h"

/* The hash of the agent's sources, so that a template is rebuilt when they change. */
#ifndef PYRO_BUILD
#define PYRO_BUILD "unknown"
#endif

static struct frame_reader reader;

static void hello(const struct frame *frame) {
  struct hello hello;
  if (frame->stream != 0 || !decode_hello(cursor_over(frame->payload, frame->length), &hello)) {
    announce_event(EVENT_ERROR, "a HELLO that is no HELLO");
    return;
  }
  if (hello.flags & HELLO_FORGET) streams_release_all();
  call_reset();
  taken_start(hello.flags & HELLO_TAKEN);
  announce_hello(hello.nonce, PYRO_BUILD);
}

static void refuse(const struct frame *frame, int error, enum step step, const char *detail) {
  call_chain_break();
  announce_refusal(frame->stream, error, (uint8_t)step, detail);
}

/* Runs the decoded opener on its new stream. */
static void begin(struct stream *stream, const void *request) {
  switch (stream->opener) {
    case KIND_SPAWN: spawn(stream, request); break;
    case KIND_READ: read_file(stream, request); break;
    case KIND_WRITE: write_file(stream, request); break;
    case KIND_WALK: walk(stream, request); break;
    case KIND_COMPARE: compare(stream, request); break;
    case KIND_READ_MANY: read_many(stream, request); break;
    case KIND_CHANGE: change_files(stream, request); break;
    case KIND_ACCEPT: accept_request(stream, request); break;
    default: forward(stream, request); break;
  }
}

/* The request of an ACCEPT that opens no stream is refused. */
static void refuse_connection(const struct frame *frame, const void *request) {
  if (frame->kind == KIND_ACCEPT) hold_refuse(((const struct accept_request *)request)->request);
}

static void open_stream(const struct frame *frame, const uint8_t id[ID_SIZE], uint32_t window, const void *request) {
  struct stream *stream = NULL;
  switch (stream_open(frame->stream, frame->kind, id, window, &stream)) {
    case OPENING_EXISTS: announce_state(stream); return;
    case OPENING_NUMBER_TAKEN: announce_event(EVENT_ERROR, "stream %u is open already", frame->stream); return;
    case OPENING_FULL: refuse(frame, EAGAIN, STEP_LIMIT, "too many streams"); break;
    case OPENING_NO_MEMORY: refuse(frame, ENOMEM, STEP_LIMIT, "no memory"); break;
    case OPENING_RELEASED: stream_fail(stream, EEXIST, STEP_LIMIT, "this id was run and released"); break;
    case OPENING_NEW:
      if (call_chain_broken())
        stream_fail(stream, ECANCELED, STEP_LIMIT, "an earlier step of the chain failed");
      else
        begin(stream, request);
      break;
  }
  if (stream != NULL && stream->ending.kind != KIND_FAILED) return;
  call_chain_break();
  refuse_connection(frame, request);
}

static void opener(const struct frame *frame) {
  union {
    struct spawn_request spawn;
    struct read_request read;
    struct write_request write;
    struct walk_request walk;
    struct compare_request compare;
    struct read_many_request read_many;
    struct change_request change;
    struct connect_request connect;
    struct accept_request accept;
  } request;
  struct cursor cursor = cursor_over(frame->payload, frame->length);
  const uint8_t *id = NULL;
  uint32_t window = 0;
  switch (frame->kind) {
    case KIND_SPAWN:
      if (decode_spawn(cursor, &request.spawn)) id = request.spawn.id, window = request.spawn.window;
      break;
    case KIND_READ:
      if (decode_read(cursor, &request.read)) id = request.read.id, window = request.read.window;
      break;
    case KIND_WRITE:
      if (decode_write(cursor, &request.write)) id = request.write.id;
      break;
    case KIND_WALK:
      if (decode_walk(cursor, &request.walk)) id = request.walk.id, window = request.walk.window;
      break;
    case KIND_COMPARE:
      if (decode_compare(cursor, &request.compare)) id = request.compare.id, window = request.compare.window;
      break;
    case KIND_READ_MANY:
      if (decode_read_many(cursor, &request.read_many)) id = request.read_many.id, window = request.read_many.window;
      break;
    case KIND_CHANGE:
      if (decode_change(cursor, &request.change)) id = request.change.id;
      break;
    case KIND_ACCEPT:
      if (decode_accept(cursor, &request.accept)) id = request.accept.id, window = request.accept.window;
      break;
    default:
      if (decode_connect(cursor, &request.connect)) id = request.connect.id, window = request.connect.window;
      break;
  }
  if (id == NULL || frame->stream == 0 || frame->stream >= FIRST_CALL) {
    streams_number_used(frame->stream);
    refuse(frame, EBADMSG, STEP_MALFORMED, NULL);
    return;
  }
  open_stream(frame, id, window, &request);
}

/* Frames about an open stream; false for a payload that is none. */
static bool about_stream(struct stream *stream, const struct frame *frame) {
  struct cursor cursor = cursor_over(frame->payload, frame->length);
  struct data_in data;
  struct ack ack;
  struct signal_request signal;
  struct resize resize;
  uint64_t offset = 0;
  switch (frame->kind) {
    case KIND_DATA_IN: return decode_data_in(cursor, &data) && input_data(&stream->input, data.offset, data.data);
    case KIND_END_IN: return decode_end_in(cursor, &offset) && input_end(&stream->input, offset);
    case KIND_ACK:
      if (!decode_ack(cursor, &ack) || ack.output < 1 || ack.output > 2) return false;
      if (stream->outputs[ack.output - 1].number != 0) output_acknowledge(&stream->outputs[ack.output - 1], ack.offset);
      return true;
    case KIND_SIGNAL:
      if (!decode_signal(cursor, &signal)) return false;
      kill_target(stream, signal.target, signal.signal);
      return true;
    case KIND_RESIZE:
      if (!decode_resize(cursor, &resize)) return false;
      if (stream->input.pty && stream->outputs[0].fd >= 0) pty_resize(stream->outputs[0].fd, resize.rows, resize.cols);
      return true;
    default: /* RELEASE */
      if (frame->length != 0) return false;
      stream_release(stream);
      return true;
  }
}

static bool is_opener(uint8_t kind) { return kind == KIND_SPAWN || (kind >= KIND_READ && kind <= KIND_ACCEPT); }

static void answer(const struct frame *frame) {
  struct answer answer;
  if (frame->stream == 0 && decode_answer(cursor_over(frame->payload, frame->length), &answer))
    network_answer(&answer);
  else
    announce_event(EVENT_ERROR, "an ANSWER that is no ANSWER");
}

static void handle(const struct frame *frame) {
  struct stream *stream = NULL;
  switch (frame->kind) {
    case KIND_HELLO: hello(frame); break;
    case KIND_CALL: call_run(frame); break;
    case KIND_ANSWER: answer(frame); break;
    case KIND_DATA_IN:
    case KIND_END_IN:
    case KIND_ACK:
    case KIND_SIGNAL:
    case KIND_RESIZE:
    case KIND_RELEASE:
      stream = stream_find(frame->stream);
      if (stream != NULL && !about_stream(stream, frame)) stream_fail(stream, EBADMSG, STEP_MALFORMED, NULL);
      break;
    default:
      if (is_opener(frame->kind))
        opener(frame);
      else
        announce_event(EVENT_ERROR, "a frame of unknown kind 0x%02x", frame->kind);
      break;
  }
}

/* Each may answer with a whole frame, and nothing runs before the answer to HELLO is out. Calls wait behind a call in
 * progress, and in a chain every request waits. */
static bool may_handle(const struct frame *frame) {
  if (announce_hello_pending() || port_room(FRAME_MAX) == NULL) return false;
  if (!call_busy()) return true;
  return frame->kind != KIND_CALL && !(call_chain_open() && is_opener(frame->kind));
}

static void handle_frames(void) {
  struct frame frame;
  while (frame_peek(&reader, &frame)) {
    if (!may_handle(&frame)) return;
    taken_add(frame.length + FRAME_OVERHEAD);
    handle(&frame);
    frame_consume(&reader, &frame);
  }
}

bool connection_receive(void) {
  if (port_room(FRAME_MAX) != NULL) call_answer_pending();
  handle_frames();
  struct frame held;
  if (frame_peek(&reader, &held)) return false;
  if (!port_may_read()) return true;
  size_t room = 0;
  uint8_t *to = frame_space(&reader, &room);
  size_t count = port_read(to, room);
  if (count == 0) return true;
  frame_received(&reader, count);
  handle_frames();
  return !frame_peek(&reader, &held);
}

bool connection_may_go_on(void) {
  struct frame held;
  return frame_peek(&reader, &held) && may_handle(&held);
}
