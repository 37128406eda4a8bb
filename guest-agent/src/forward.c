#include "forward.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <fcntl.h>

#include "list.h"
#include "loop.h"
#include "tcp.h"

/* Waits for the connection; lives in the input's source until then. */
static void on_connected(struct source *source, uint32_t events);

static int start_connecting(const struct connect_request *request) {
  bool ipv4 = request->family == FAMILY_IPV4;
  struct sockaddr_in address4 = {.sin_family = AF_INET, .sin_port = htons(request->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 address6 = {.sin6_family = AF_INET6, .sin6_port = htons(request->port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  const struct sockaddr *address = ipv4 ? (const struct sockaddr *)&address4 : (const struct sockaddr *)&address6;
  int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  tcp_no_delay(fd);
  if (connect(fd, address, ipv4 ? sizeof address4 : sizeof address6) < 0 && errno != EINPROGRESS) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

static const struct stream_events events_of_connection = {.changed = forward_changed, .broken = forward_reset};

void forward(struct stream *stream, const struct connect_request *request) {
  stream->on = &events_of_connection;
  int fd = start_connecting(request);
  if (fd < 0) {
    stream_fail(stream, errno, STEP_OPEN, "connect");
    return;
  }
  /* Input that arrives before the connection is kept. */
  input_open(&stream->input, fd, false, true);
  stream->input.writable = false;
  stream->input.watched = true;
  stream->input.source.ready = on_connected;
  if (loop_watch(fd, EPOLLOUT, &stream->input.source) < 0) stream_fail(stream, errno, STEP_OPEN, "epoll");
}

static void on_connected(struct source *source, uint32_t events) {
  struct stream *stream = container_of(container_of(source, struct input, source), struct stream, input);
  if (stream->input.fd < 0) return;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(stream->input.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
  if (error == 0 && !(events & EPOLLOUT)) return;
  int reader = error == 0 ? fcntl(stream->input.fd, F_DUPFD_CLOEXEC, 3) : -1;
  if (error == 0 && reader < 0) error = errno;
  if (error == 0 && output_open(&stream->outputs[0], reader, OUTPUT_SOCKET) < 0) error = errno;
  if (error != 0) {
    stream_fail(stream, error, STEP_OPEN, "connect");
    return;
  }
  stream->told_pid = CONNECT_CREDIT;
  stream->started_due = true;
  input_connected(&stream->input);
  stream_changed(stream);
}

void forward_changed(struct stream *stream) {
  if (stream->ending.kind != 0 || !stream->outputs[0].ended) return;
  /* Only one of write and read sees a reset. */
  if (stream->input.error != 0)
    stream_fail(stream, stream->input.error, STEP_IO, "the connection broke");
  else if ((stream->input.end_received || stream->input.fd < 0) && stream->input.held == 0)
    stream_exited(stream, HOW_EXITED, 0);
}

void forward_reset(struct stream *stream) {
  if (stream->input.fd >= 0)
    tcp_reset_on_close(stream->input.fd);
  else if (stream->outputs[0].fd >= 0)
    tcp_reset_on_close(stream->outputs[0].fd);
}
