#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "encode.h"
#include "kernel.h"
#include "deadline.h"
#include "port.h"
#include "ring.h"
#include "sink.h"

enum {
  /* The guest's virtio_console takes at most 32 KiB in one write (one buffer, one notification of QEMU). */
  DATA_FRAME_MAX = 32 * 1024,
  DATA_FIELDS = 1 + 8, /* u8 output, u64 offset */
  DATA_MAX = DATA_FRAME_MAX - FRAME_OVERHEAD - DATA_FIELDS,
  /* Maximum bytes to copy after waiting frames, so that the whole end of a short command is one write. */
  COPY_MAX = 4096,
  /* One turn of one output, so that a flood does not delay the others. */
  READ_MAX = 256 * 1024,
  PIPE_DEFAULT = 65536,
  PIPE_ENLARGED = 1024 * 1024,
  /* More than the kernel buffers between the two ends of a terminal. */
  PTY_DRAIN_MAX = 256 * 1024,
};

static struct link readable_outputs = {&readable_outputs, &readable_outputs};
/* Pipes of new commands, which the loop does not watch yet, oldest first. */
static struct link fresh_outputs = {&fresh_outputs, &fresh_outputs};

void output_init(struct output *output, struct stream *stream, const struct side_reports *reports, uint8_t number, uint32_t window) {
  output->stream = stream;
  output->reports = reports;
  output->fd = -1;
  output->number = number;
  output->window = window;
}

static void fail(const struct output *output, int error) { output->reports->fail(output->stream, error, STEP_IO, "reading output"); }

static void wants_reading(struct output *output) {
  if (output->readable && !output->ended && !link_in_list(&output->reading)) list_append(&readable_outputs, &output->reading);
}

static size_t room_left(const struct output *output) { return output->window - (size_t)(output->produced - output->acked); }

/* Without EPOLLRDHUP, a FIN that comes with the last bytes causes no event, and the output would wait for one after a short read. */
static int watch(struct output *output) {
  output->watched = true;
  return loop_watch(output->fd, output->kind == OUTPUT_SOCKET ? EPOLLIN | EPOLLRDHUP : EPOLLIN, &output->source);
}

/* Called before the descriptor is closed or given away. */
static void unwatch(struct output *output) {
  if (output->watched) loop_unwatch(output->fd);
  output->watched = false;
}

static void close_source(struct output *output) {
  list_remove(&output->reading);
  list_remove(&output->fresh);
  output->readable = false;
  unwatch(output);
  if (output->fd >= 0) loop_close_later(output->fd);
  output->fd = -1;
}

static int poll_now(int fd) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  return poll(&poll_fd, 1, 0) == 1 ? poll_fd.revents : 0;
}

/* Releases the descriptor: the agent continues to read and discard the output of a background process with the pipe's other end. */
static void leave_source(struct output *output) {
  if (output->fd >= 0 && output->kind == OUTPUT_PIPE && !(poll_now(output->fd) & POLLHUP)) {
    unwatch(output);
    sink_open(output->fd);
    output->fd = -1;
  }
  close_source(output);
}

void output_end(struct output *output) {
  if (output->number == 0 || output->ended) return;
  output->ended = true;
  leave_source(output);
  output->reports->changed(output->stream);
}

static void on_ready(struct source *source, uint32_t events) {
  struct output *output = container_of(source, struct output, source);
  if (output->fd < 0) return;
  if (events == EPOLLHUP && output->kind != OUTPUT_PTY) {
    /* No data and no writer: the output ends without a read, and needs no ring. */
    close_source(output);
    output_end(output);
    return;
  }
  output->readable = true;
  if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) output->hung_up = true;
  wants_reading(output);
}

int output_open(struct output *output, int fd, enum output_kind kind) {
  output->fd = fd;
  output->kind = kind;
  output->source.ready = on_ready;
  return watch(output);
}

void output_open_pipe(struct output *output, int fd, uint64_t began_ns) {
  output->fd = fd;
  output->kind = OUTPUT_PIPE;
  output->began_ns = began_ns;
  output->source.ready = on_ready;
  list_append(&fresh_outputs, &output->fresh);
}

static struct output *first_fresh(void) {
  return list_empty(&fresh_outputs) ? NULL : container_of(fresh_outputs.next, struct output, fresh);
}

int outputs_grace_ms(void) {
  const struct output *output = first_fresh();
  return output == NULL ? -1 : grace_left_ms(output->began_ns);
}

void outputs_watch_due(void) {
  for (struct output *output; (output = first_fresh()) != NULL && grace_left_ms(output->began_ns) == 0;) {
    list_remove(&output->fresh);
    if (watch(output) < 0) fail(output, errno);
  }
}

void output_try(struct output *output) {
  if (output->fd < 0 || !(poll_now(output->fd) & POLLIN)) return;
  output->readable = true;
  wants_reading(output);
}

/* The two pieces of free room in the ring, after the produced bytes. */
static int free_pieces(const struct output *output, size_t most, struct iovec pieces[2]) {
  size_t held = (size_t)(output->produced - output->acked);
  size_t from = (output->head + held) % output->window;
  size_t first = output->window - from < most ? output->window - from : most;
  pieces[0] = (struct iovec){output->mapping + from, first};
  pieces[1] = (struct iovec){output->mapping, most - first};
  return most > first ? 2 : 1;
}

static void after_nothing(struct output *output) {
  /* The kernel may still hold bytes of a terminal's slave side, and makes them readable when a poll asks. */
  if (output->limited && output->kind == OUTPUT_PTY && (poll_now(output->fd) & POLLIN)) return;
  output->readable = false;
  if (output->limited) output_end(output);
}

/* An output that fills its pipe gets a larger one: fewer switches between its writer and the agent. */
static void enlarge_pipe(const struct output *output, size_t count) {
  if (output->kind != OUTPUT_PIPE || output->produced >= PIPE_DEFAULT || output->produced + count < PIPE_DEFAULT) return;
  fcntl(output->fd, F_SETPIPE_SZ, PIPE_ENLARGED);
}

void output_read(struct output *output) {
  size_t most = room_left(output);
  if (most == 0 || output->ended) return;
  if (most > READ_MAX) most = READ_MAX;
  if (output->limited && most > output->left) most = output->left;
  if (output->mapping == NULL) output->mapping = ring_take(output->window);
  if (output->mapping == NULL) {
    output->reports->fail(output->stream, ENOMEM, STEP_LIMIT, "no memory for output");
    return;
  }
  struct iovec pieces[2];
  ssize_t count = readv(output->fd, pieces, free_pieces(output, most, pieces));
  if (count < 0 && errno == EAGAIN) {
    after_nothing(output);
    return;
  }
  if (count <= 0) {
    /* EIO: no process holds the terminal's other side any more. */
    int error = count < 0 && errno != EIO ? errno : 0;
    close_source(output);
    if (error != 0) fail(output, error);
    output_end(output);
    return;
  }
  enlarge_pipe(output, (size_t)count);
  output->produced += (uint64_t)count;
  if (output->limited) {
    output->left -= (size_t)count;
    if (output->left == 0) output_end(output);
  } else if ((size_t)count < most && output->kind != OUTPUT_PTY && !output->hung_up) {
    output->readable = false; /* emptied: the next byte is a new edge */
  }
  output->reports->changed(output->stream);
}

void output_finish(struct output *output) {
  if (output->number == 0 || output->ended || output->limited) return;
  list_remove(&output->fresh);
  if (output->fd >= 0 && output->kind == OUTPUT_PIPE && poll_now(output->fd) == POLLHUP) close_source(output);
  int held = 0;
  if (output->fd < 0 || (output->kind != OUTPUT_PTY && ioctl(output->fd, FIONREAD, &held) < 0)) held = 0;
  output->limited = true;
  output->left = output->kind == OUTPUT_PTY ? PTY_DRAIN_MAX : (size_t)held;
  if (output->left == 0) {
    output_end(output);
    return;
  }
  output->readable = true;
  while (output->readable && !output->ended && room_left(output) > 0) output_read(output);
  wants_reading(output);
}

bool outputs_read(void) {
  struct link turn;
  if (list_empty(&readable_outputs)) return false;
  /* The outputs at the start of the round. An output with more to read joins the next round. */
  turn = readable_outputs;
  turn.next->prev = &turn;
  turn.prev->next = &turn;
  list_init(&readable_outputs);
  while (!list_empty(&turn)) {
    struct output *output = container_of(turn.next, struct output, reading);
    list_remove(&output->reading);
    if (output->fd < 0 || output->ended || room_left(output) == 0) continue;
    output_read(output);
    if (room_left(output) > 0) wants_reading(output);
  }
  return !list_empty(&readable_outputs);
}

void output_acknowledge(struct output *output, uint64_t offset) {
  if (offset <= output->acked || offset > output->produced) return;
  output->head = (output->head + (size_t)(offset - output->acked)) % output->window;
  output->acked = offset;
  if (output->sent < offset) output->sent = offset;
  /* Empty: begin at the ring's start again, so that small outputs touch few pages. */
  if (output->acked == output->produced) output->head = 0;
  wants_reading(output);
  output->reports->changed(output->stream);
}

void output_rewind(struct output *output) {
  output->sent = output->acked;
  output->end_announced = false;
}

static void put_data_head(uint8_t *to, const struct output *output, uint32_t stream, size_t count) {
  put_header(to, DATA_FIELDS + count, stream, KIND_DATA_OUT);
  uint8_t *fields = to + FRAME_HEADER;
  fields[0] = output->number;
  for (int i = 0; i < 8; i++) fields[1 + i] = (uint8_t)(output->sent >> (56 - 8 * i));
}

static bool send_copied(const struct output *output, uint32_t stream, const uint8_t *data, size_t count) {
  enum { HEAD = FRAME_HEADER + DATA_FIELDS };
  uint8_t *to = port_room(HEAD + count + 1);
  if (to == NULL) return false;
  put_data_head(to, output, stream, count);
  memcpy(to + HEAD, data, count);
  to[HEAD + count] = FRAME_END;
  port_commit(HEAD + count + 1);
  return true;
}

/* Writes head and end around the data in the ring, and restores the overwritten bytes after the write: no copy, and one
 * write per frame. */
static bool send_in_place(const struct output *output, uint32_t stream, uint8_t *data, size_t count) {
  enum { HEAD = FRAME_HEADER + DATA_FIELDS };
  uint8_t before[HEAD], after = data[count];
  memcpy(before, data - HEAD, HEAD);
  put_data_head(data - HEAD, output, stream, count);
  data[count] = FRAME_END;
  bool taken = port_write_through(data - HEAD, HEAD + count + 1);
  memcpy(data - HEAD, before, HEAD);
  data[count] = after;
  return taken;
}

bool output_send(struct output *output, uint32_t stream) {
  size_t from = (output->head + (size_t)(output->sent - output->acked)) % output->window;
  uint64_t waiting = output->produced - output->sent;
  size_t count = output->window - from;
  if (count > waiting) count = (size_t)waiting;
  if (count > DATA_MAX) count = DATA_MAX;
  uint8_t *data = output->mapping + from;
  if (count <= COPY_MAX) {
    if (!send_copied(output, stream, data, count)) return false;
  } else {
    if (!port_flush() || !send_in_place(output, stream, data, count)) return false;
  }
  output->sent += count;
  return true;
}

void output_close(struct output *output) {
  if (output->number == 0) return;
  output->ended = true;
  leave_source(output);
  if (output->mapping != NULL) ring_release(output->mapping, output->window, output->produced);
  output->mapping = NULL;
}
