#include "announce.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "net/request.h"
#include "deadline.h"
#include "port.h"
#include "stream.h"
#include "taken.h"

enum {
  /* Every control frame but RESULT is smaller. */
  CONTROL_MAX = 1024,
  EVENT_TEXT_MAX = 512,
  EVENTS_PER_SECOND = 10,
  STARTED_SIZE = FRAME_OVERHEAD + 4,
  END_OUT_SIZE = FRAME_OVERHEAD + 1 + 8,
  EXITED_SIZE = FRAME_OVERHEAD + 1 + 4 + 8,
};

static struct link control_queue = {&control_queue, &control_queue};
static struct link data_queue = {&data_queue, &data_queue};
/* The next stream whose STATE follows a HELLO; NULL = none. */
static struct link *state_at;
static bool greeted;
/* Bytes of the deferrable frames in the port's buffer if it has no others, and the time of the first one. */
static size_t deferred_bytes;
static uint64_t deferred_since_ns;

static bool all_sent(const struct output *output) { return output->number == 0 || (output->ended && output->sent == output->produced); }

static bool end_due(const struct output *output) {
  return output->number != 0 && !output->end_announced && all_sent(output) && output->stream->ending.kind != KIND_FAILED;
}

static bool ending_due(const struct stream *stream) {
  return stream->ending.kind != 0 && !stream->end_announced && all_sent(&stream->outputs[0]) && all_sent(&stream->outputs[1]);
}

static bool control_due(const struct stream *stream) {
  if (stream->end_announced) return false;
  return stream->started_due || stream->input.ack_due || end_due(&stream->outputs[0]) || end_due(&stream->outputs[1]) || ending_due(stream);
}

static bool data_due(const struct stream *stream) {
  return stream->outputs[0].sent < stream->outputs[0].produced || stream->outputs[1].sent < stream->outputs[1].produced;
}

void announce(struct stream *stream) {
  if (!link_in_list(&stream->control) && control_due(stream)) list_append(&control_queue, &stream->control);
  if (!link_in_list(&stream->data) && data_due(stream)) list_append(&data_queue, &stream->data);
}

static void commit(struct writer writer) { port_commit(frame_finish(&writer)); }

static void put_ending(struct writer *writer, const struct ending *ending) {
  if (ending->kind == KIND_FAILED) {
    put_u32(writer, ending->code);
    put_u8(writer, ending->step);
    put_str(writer, ending->detail);
  } else {
    put_u8(writer, ending->how);
    put_u32(writer, ending->code);
    put_u64(writer, ending->duration_ns);
  }
}

static void put_state(struct writer *writer, const struct stream *stream) {
  bool ended = stream_ended(stream);
  put_bytes(writer, stream->id, ID_SIZE);
  put_u8(writer, stream->opener);
  put_u8(writer, ended ? PHASE_ENDED : PHASE_RUNNING);
  put_u32(writer, stream->told_pid);
  put_u32(writer, stream->window);
  put_u64(writer, stream->input.received);
  put_u64(writer, stream->outputs[0].acked);
  put_u64(writer, stream->outputs[1].acked);
  if (!ended) return;
  /* The payload of the EXITED or FAILED frame. */
  uint8_t scratch[CONTROL_MAX];
  struct writer inner = frame_begin(scratch, sizeof scratch, 0, stream->ending.kind);
  put_ending(&inner, &stream->ending);
  put_u8(writer, stream->ending.kind);
  put_bytes(writer, scratch + FRAME_HEADER, (size_t)(inner.at - scratch) - FRAME_HEADER);
}

static bool send_state(const struct stream *stream) {
  uint8_t *to = port_room(CONTROL_MAX);
  if (to == NULL) return false;
  struct writer writer = frame_begin(to, CONTROL_MAX, stream->number, KIND_STATE);
  put_state(&writer, stream);
  commit(writer);
  return true;
}

/* Called before a deferrable frame enters the buffer: STARTED and END_OUT of a command, which may end soon, and EXITED of a connection,
 * because the host knows its ends. A connection's other frames do not wait, because the other end may speak next. */
static void note_deferred_frame(size_t size) {
  if (port_waiting() != deferred_bytes) return;
  if (deferred_bytes == 0) deferred_since_ns = clock_monotonic_ns();
  deferred_bytes += size;
}

/* Sends one pending control frame. */
static void send_control(struct stream *stream, uint8_t *to) {
  if (stream->started_due) {
    struct writer writer = frame_begin(to, CONTROL_MAX, stream->number, KIND_STARTED);
    put_u32(&writer, stream->told_pid);
    stream->started_due = false;
    if (!stream_is_connection(stream)) note_deferred_frame(STARTED_SIZE);
    commit(writer);
    return;
  }
  if (stream->input.ack_due) {
    struct writer writer = frame_begin(to, CONTROL_MAX, stream->number, KIND_ACK_IN);
    put_u64(&writer, stream->input.consumed);
    stream->input.acked = stream->input.consumed;
    stream->input.ack_due = false;
    commit(writer);
    return;
  }
  for (int i = 0; i < 2; i++) {
    struct output *output = &stream->outputs[i];
    if (!end_due(output)) continue;
    struct writer writer = frame_begin(to, CONTROL_MAX, stream->number, KIND_END_OUT);
    put_u8(&writer, output->number);
    put_u64(&writer, output->produced);
    output->end_announced = true;
    if (!stream_is_connection(stream)) note_deferred_frame(END_OUT_SIZE);
    commit(writer);
    return;
  }
  if (ending_due(stream)) {
    if (stream_is_connection(stream) && stream->ending.kind == KIND_EXITED) note_deferred_frame(EXITED_SIZE);
    struct writer writer = frame_begin(to, CONTROL_MAX, stream->number, stream->ending.kind);
    put_ending(&writer, &stream->ending);
    stream->end_announced = true;
    commit(writer);
  }
}

/* False when the port has no room. */
static bool send_all_control(void) {
  while (!list_empty(&control_queue)) {
    struct stream *stream = container_of(control_queue.next, struct stream, control);
    while (control_due(stream)) {
      uint8_t *to = port_room(CONTROL_MAX);
      if (to == NULL) return false;
      send_control(stream, to);
    }
    list_remove(&stream->control);
  }
  return true;
}

static bool send_states(void) {
  while (state_at != NULL) {
    if (!send_state(container_of(state_at, struct stream, all))) return false;
    state_at = state_at->next == streams_all() ? NULL : state_at->next;
  }
  return true;
}

/* One frame of the stream in turn. */
static bool send_data(void) {
  struct stream *stream = container_of(data_queue.next, struct stream, data);
  struct output *output = &stream->outputs[stream->turn];
  if (output->sent == output->produced) output = &stream->outputs[1 - stream->turn];
  if (output->sent < output->produced) {
    if (!output_send(output, stream->number)) return false;
    stream->turn = output == &stream->outputs[0] ? 1 : 0;
  }
  list_remove(&stream->data);
  announce(stream);
  return true;
}

int announce_delay_ms(void) { return deferred_bytes != 0 && port_may_write() ? grace_left_ms(deferred_since_ns) : -1; }

/* Whether the port has only deferred frames to write, and they may still wait. */
static bool may_delay(void) { return deferred_bytes != 0 && deferred_bytes == port_waiting() && grace_left_ms(deferred_since_ns) > 0; }

void announce_pump(void) {
  for (;;) {
    if (!port_may_write()) return;
    bool fitted = send_states() && requests_send() && taken_send() && send_all_control();
    if (fitted && !list_empty(&data_queue) && send_data()) continue;
    if (fitted && may_delay()) return;
    deferred_bytes = 0;
    if (!port_flush()) return;
    if (fitted && list_empty(&data_queue)) return;
  }
}

void announce_answers(void) {
  if (port_waiting() == 0 || !port_may_write()) return; /* the pump goes on */
  deferred_bytes = 0;
  port_flush();
}

void announce_requests(void) {
  if (requests_unsent() && port_may_write() && send_states() && requests_send()) announce_answers();
}

void announce_hello(const uint8_t nonce[ID_SIZE], const char *build) {
  port_discard();
  deferred_bytes = 0;
  greeted = true;
  for (struct link *at = streams_all()->next; at != streams_all(); at = at->next) {
    struct stream *stream = container_of(at, struct stream, all);
    stream->started_due = false; /* STATE says it */
    stream->end_announced = false;
    stream->input.ack_due = stream->input.exists && stream->ending.kind == 0 && !stream->input.end_received;
    for (int i = 0; i < 2; i++) output_rewind(&stream->outputs[i]);
    announce(stream);
  }
  requests_rewind();
  state_at = list_empty(streams_all()) ? NULL : streams_all()->next;
  struct writer writer = frame_begin(port_room(CONTROL_MAX), CONTROL_MAX, 0, KIND_HELLO_BACK);
  put_bytes(&writer, nonce, ID_SIZE);
  put_u32(&writer, PROTOCOL_VERSION);
  put_str(&writer, build);
  put_u32(&writer, streams_next_number());
  put_u32(&writer, streams_count());
  commit(writer);
}

bool announce_hello_pending(void) { return state_at != NULL; }

void announce_state(struct stream *stream) { send_state(stream); }

void announce_refusal(uint32_t number, int error, uint8_t step, const char *detail) {
  uint8_t *to = port_room(CONTROL_MAX);
  if (to == NULL) return;
  struct ending ending = {.kind = KIND_FAILED, .step = step, .code = (uint32_t)error};
  if (detail != NULL) strncpy(ending.detail, detail, DETAIL_MAX - 1);
  struct writer writer = frame_begin(to, CONTROL_MAX, number, KIND_FAILED);
  put_ending(&writer, &ending);
  commit(writer);
}

static bool event_allowed(void) {
  static uint64_t second;
  static unsigned in_second;
  uint64_t now = clock_monotonic_ns() / 1000000000u;
  if (now != second) {
    second = now;
    in_second = 0;
  }
  return in_second++ < EVENTS_PER_SECOND;
}

void announce_event(enum event_level level, const char *format, ...) {
  if (!event_allowed()) return;
  char text[EVENT_TEXT_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  log_line("%s", text);
  uint8_t *to = greeted && state_at == NULL ? port_room(CONTROL_MAX) : NULL;
  if (to == NULL) return;
  struct writer writer = frame_begin(to, CONTROL_MAX, 0, KIND_EVENT);
  put_u8(&writer, level);
  put_str(&writer, text);
  commit(writer);
}
