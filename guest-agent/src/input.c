#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "list.h"

enum {
  /* Beyond it, a stream that needs a buffer fails. */
  BUFFERED_MAX = 256 * 1024 * 1024,
  /* Beyond it, an empty buffer is freed at once. Below, the next bytes find it. */
  BUFFERED_MANY = 32 * 1024 * 1024,
};

void input_init(struct input *input, struct stream *stream, const struct side_reports *reports, uint32_t credit) {
  input->stream = stream;
  input->reports = reports;
  input->credit = credit;
  input->fd = -1;
}

/* Once a quarter of the credit is used up: the host always has the rest of it to send, and acknowledgements stay rare. */
static void acknowledge(struct input *input) {
  if (input->consumed - input->acked < input->credit / 4) return;
  input->ack_due = true;
  input->reports->changed(input->stream);
}

/* Bytes of all buffers: a guest's programs that do not read their downloads must not fill its memory. */
static size_t buffered;

static bool take_buffer(struct input *input) {
  if (input->buffer != NULL) return true;
  if (input->credit > BUFFERED_MAX - buffered) return false;
  input->buffer = malloc(input->credit);
  if (input->buffer == NULL) return false;
  buffered += input->credit;
  input->head = 0;
  return true;
}

static void release_buffer(struct input *input) {
  if (input->buffer == NULL) return;
  free(input->buffer);
  input->buffer = NULL;
  buffered -= input->credit;
}

static void close_descriptor(struct input *input) {
  if (input->fd >= 0 && input->watched) loop_unwatch(input->fd);
  if (input->fd >= 0) close(input->fd);
  input->fd = -1;
  release_buffer(input);
}

void input_break(struct input *input) {
  if (!input->exists) return;
  close_descriptor(input);
  input->held = 0;
  if (input->consumed == input->received) return;
  input->consumed = input->received;
  acknowledge(input);
}

/* Everything is written and the host said that it was all. */
static void finish(struct input *input) {
  if (input->finished) return;
  input->finished = true;
  if (input->pty) {
    /* A terminal has no end; the end-of-file character makes its reader see one. */
    struct termios settings;
    cc_t end = tcgetattr(input->fd, &settings) == 0 ? settings.c_cc[VEOF] : 4;
    if (write(input->fd, &end, 1) < 0) errno = 0;
    return; /* the terminal stays open for its output */
  }
  if (input->socket) shutdown(input->fd, SHUT_WR);
  input->reports->input_complete(input->stream);
  close_descriptor(input);
}

/* A write failed for good: the reader is gone. */
static void fail_write(struct input *input, int error) {
  /* After a FIN of the other side, a reset is told as EPIPE. */
  if (input->socket) input->error = error == EPIPE ? ECONNRESET : error;
  input_break(input);
  input->reports->changed(input->stream);
}

static ssize_t write_held(const struct input *input) {
  size_t first = input->credit - input->head < input->held ? input->credit - input->head : input->held;
  struct iovec pieces[2] = {{input->buffer + input->head, first}, {input->buffer, input->held - first}};
  return writev(input->fd, pieces, input->held > first ? 2 : 1);
}

static void flush(struct input *input) {
  while (input->held > 0 && input->writable) {
    ssize_t count = write_held(input);
    if (count < 0 && errno == EAGAIN) {
      input->writable = false;
      break;
    }
    if (count < 0) {
      fail_write(input, errno);
      return;
    }
    input->head = (input->head + (size_t)count) % input->credit;
    input->held -= (size_t)count;
    input->consumed += (uint64_t)count;
    acknowledge(input);
  }
  if (input->held == 0) {
    input->head = 0;
    if (buffered > BUFFERED_MANY) release_buffer(input);
    if (input->end_received) finish(input);
  }
}

static void on_ready(struct source *source, uint32_t events) {
  struct input *input = container_of(source, struct input, source);
  if (input->fd < 0) return;
  input->writable = true;
  if (input->held > 0 || (input->end_received && !input->finished)) {
    flush(input);
  } else if ((events & EPOLLERR) && !input->socket && !input->pty) {
    input_break(input); /* the pipe's reader is gone */
    input->reports->changed(input->stream);
  }
}

void input_open(struct input *input, int fd, bool pty, bool socket) {
  input->exists = true;
  input->fd = fd;
  input->pty = pty;
  input->socket = socket;
  input->writable = true;
  input->source.ready = on_ready;
}

void input_connected(struct input *input) {
  input->source.ready = on_ready;
  input->writable = true;
  if (input->held > 0 || input->end_received) flush(input);
}

static bool keep(struct input *input, const uint8_t *data, size_t size) {
  if (!take_buffer(input)) return false;
  size_t from = (input->head + input->held) % input->credit;
  size_t first = input->credit - from < size ? input->credit - from : size;
  memcpy(input->buffer + from, data, first);
  memcpy(input->buffer, data + first, size - first);
  input->held += size;
  input->received += size;
  if (input->watched) return true;
  input->watched = loop_watch(input->fd, EPOLLOUT, &input->source) == 0;
  return input->watched;
}

bool input_data(struct input *input, uint64_t offset, struct bytes data) {
  if (!input->exists || offset > input->received) return false;
  uint64_t known = input->received - offset;
  if (known >= data.size) return true; /* sent again after a takeover */
  const uint8_t *from = data.data + known;
  size_t size = data.size - (size_t)known;
  if (input->end_received || size > input->credit - (input->received - input->consumed)) return false;
  if (input->fd < 0) {
    input->received += size;
    input->consumed = input->received;
    acknowledge(input);
    return true;
  }
  if (input->held == 0 && input->writable) {
    ssize_t count = write(input->fd, from, size);
    if (count < 0 && errno != EAGAIN) {
      fail_write(input, errno);
      return input_data(input, offset, data);
    }
    if (count > 0) {
      from += count;
      size -= (size_t)count;
      input->received += (uint64_t)count;
      input->consumed += (uint64_t)count;
      acknowledge(input);
    }
    if (size == 0) return true;
    input->writable = false;
  }
  return keep(input, from, size);
}

bool input_end(struct input *input, uint64_t offset) {
  if (!input->exists || offset != input->received) return false;
  if (input->end_received) return true;
  input->end_received = true;
  if (input->fd >= 0 && input->held == 0 && input->writable) finish(input);
  return true;
}

void input_close(struct input *input) { close_descriptor(input); }
