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
#include "net/pending_syn.h"
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

/* Every opener: its frame kind, the name of its decoder and of its field in a request, and the function that begins its stream. */
#define OPENERS(X)                                                                                                                         \
  X(KIND_SPAWN, spawn, spawn)                                                                                                              \
  X(KIND_READ, read, read_file)                                                                                                            \
  X(KIND_WRITE, write, write_file)                                                                                                         \
  X(KIND_WALK, walk, walk)                                                                                                                 \
  X(KIND_CONNECT, connect, forward)                                                                                                        \
  X(KIND_COMPARE, compare, compare)                                                                                                        \
  X(KIND_FILE, file, file_work)                                                                                                            \
  X(KIND_WATCH, watch, watch_files)                                                                                                        \
  X(KIND_READ_MANY, read_many, read_many)                                                                                                  \
  X(KIND_CHANGE, change, change_files)                                                                                                     \
  X(KIND_ACCEPT, accept, accept_request)

/* A decoded opener. */
union request {
  struct request_head head;
#define FIELD(kind, name, run) struct name##_request name;
  OPENERS(FIELD)
#undef FIELD
};

#define WORK(kind, name, run)                                                                                                              \
  static bool decode_opener_##name(struct cursor from, union request *out) { return decode_##name(from, &out->name); }                     \
  static void begin_##name(struct stream *stream, const union request *request) { run(stream, &request->name); }
OPENERS(WORK)
#undef WORK

struct opener {
  uint8_t kind;
  bool (*decode)(struct cursor from, union request *out);
  void (*begin)(struct stream *stream, const union request *request);
};

static const struct opener openers[] = {
#define OPENER(kind, name, run) {kind, decode_opener_##name, begin_##name},
    OPENERS(OPENER)
#undef OPENER
};

static const struct opener *opener_of(uint8_t kind) {
  for (size_t i = 0; i < sizeof openers / sizeof *openers; i++)
    if (openers[i].kind == kind) return &openers[i];
  return NULL;
}

/* Refuses the connection of a program if its ACCEPT opened no stream. */
static void refuse_connection(const struct frame *frame, const union request *request) {
  if (frame->kind == KIND_ACCEPT) pending_syn_refuse(request->accept.request);
}

static void open_stream(const struct frame *frame, const struct opener *opener, const union request *request) {
  struct stream *stream = NULL;
  switch (stream_open(frame->stream, frame->kind, request->head.id, request->head.window, &stream)) {
    case OPENING_EXISTS: announce_state(stream); return;
    case OPENING_NUMBER_TAKEN: announce_event(EVENT_ERROR, "stream %u is open already", frame->stream); return;
    case OPENING_FULL: refuse(frame, EAGAIN, STEP_LIMIT, "too many streams"); break;
    case OPENING_NO_MEMORY: refuse(frame, ENOMEM, STEP_LIMIT, "no memory"); break;
    case OPENING_RELEASED: stream_fail(stream, EEXIST, STEP_LIMIT, "this id was run and released"); break;
    case OPENING_NEW:
      if (call_chain_broken())
        stream_fail(stream, ECANCELED, STEP_LIMIT, "an earlier step of the chain failed");
      else
        opener->begin(stream, request);
      break;
  }
  if (stream != NULL && stream->ending.kind != KIND_FAILED) return;
  call_chain_break();
  refuse_connection(frame, request);
}

static void open_by(const struct frame *frame, const struct opener *opener) {
  union request request;
  struct cursor cursor = cursor_over(frame->payload, frame->length);
  if (!opener->decode(cursor, &request) || frame->stream == 0 || frame->stream >= FIRST_CALL) {
    streams_number_used(frame->stream);
    refuse(frame, EBADMSG, STEP_MALFORMED, NULL);
    return;
  }
  open_stream(frame, opener, &request);
}

/* Handles a frame about an open stream; false if its payload is malformed. */
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

static void answer(const struct frame *frame) {
  struct answer answer;
  if (frame->stream == 0 && decode_answer(cursor_over(frame->payload, frame->length), &answer))
    network_answer(&answer);
  else
    announce_event(EVENT_ERROR, "an ANSWER that is no ANSWER");
}

static void handle(const struct frame *frame) {
  struct stream *stream = NULL;
  const struct opener *opener = NULL;
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
      opener = opener_of(frame->kind);
      if (opener != NULL)
        open_by(frame, opener);
      else
        announce_event(EVENT_ERROR, "a frame of unknown kind 0x%02x", frame->kind);
      break;
  }
}

/* A frame may need an answer of the maximum size, so the port must have room for one. No frame is handled before the answer
 * to HELLO is sent with all its states. A call waits for the call in progress. In a chain, an opener waits for it too. */
static bool may_handle(const struct frame *frame) {
  if (announce_hello_pending() || port_room(FRAME_MAX) == NULL) return false;
  if (!call_busy()) return true;
  return frame->kind != KIND_CALL && !(call_chain_open() && opener_of(frame->kind) != NULL);
}

static void handle_frames(void) {
  struct frame frame;
  while (frame_peek(&reader, &frame)) {
    /* The last frame may have let a program connect again. The host works on that request while the agent works on this frame. */
    pending_syn_ask();
    if (!may_handle(&frame)) return;
    /* The host works on the answers to an earlier chain while the agent works on this chain. */
    if (call_begins_chain(&frame)) announce_answers();
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
