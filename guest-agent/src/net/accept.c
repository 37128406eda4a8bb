#include "accept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../forward.h"
#include "../tcp.h"
#include "dns_tcp.h"
#include "datagrams.h"
#include "pending_syn.h"
#include "socket_flow.h"

enum { CONNECTIONS_PER_ROUND = 256, LISTENERS = 2, DNS_PORT = 53 };

static struct {
  struct source source;
  int fd;
} listeners[LISTENERS];
static unsigned listener_count;

/* The client's end, and the address that it connected to. */
static bool flow_of(int fd, struct flow *flow) {
  struct sockaddr_storage from = {0}, to = {0};
  socklen_t from_size = sizeof from, to_size = sizeof to;
  if (getpeername(fd, (struct sockaddr *)&from, &from_size) < 0 || getsockname(fd, (struct sockaddr *)&to, &to_size) < 0) return false;
  memset(flow, 0, sizeof *flow);
  flow->ipv4 = from.ss_family == AF_INET;
  socket_flow_end(&from, flow->from, &flow->from_port);
  socket_flow_end(&to, flow->to, &flow->to_port);
  return true;
}

static void attach(struct stream *stream, int fd) {
  int reader = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  input_open(&stream->input, fd, false, true);
  int error = reader < 0 || output_open(&stream->outputs[0], reader, OUTPUT_SOCKET) < 0 ? errno : 0;
  if (error != 0) {
    stream_fail(stream, error, STEP_OPEN, "accept");
    return;
  }
  stream->started_due = true;
  /* What the program has sent already, or its end, goes with STARTED. */
  output_try(&stream->outputs[0]);
  stream_changed(stream);
}

static void take(int fd) {
  struct flow flow;
  /* The connection inherits the listener's filter. */
  int ignored = 0;
  setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
  tcp_no_delay(fd);
  bool known = flow_of(fd, &flow);
  struct stream *stream = known ? pending_syn_take(&flow) : NULL;
  if (stream != NULL) {
    attach(stream, fd);
  } else if (known && flow.to_port == DNS_PORT) {
    dns_tcp_take(fd);
  } else {
    tcp_reset_on_close(fd);
    close(fd);
  }
}

static void on_ready(struct source *source, uint32_t events) {
  (void)events;
  /* The programs behind new SYNs wait for the host; the connections here are made. */
  pending_syn_ask();
  int listener = source == &listeners[0].source ? listeners[0].fd : listeners[1].fd;
  for (int i = 0; i < CONNECTIONS_PER_ROUND; i++) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    take(fd);
  }
}

int accept_watch(int listener) {
  if (listener_count == LISTENERS) return -1;
  listeners[listener_count].fd = listener;
  listeners[listener_count].source.ready = on_ready;
  return loop_watch_level(listener, EPOLLIN, &listeners[listener_count++].source);
}

/* Its connection is reset, or refused if it has not come. */
static void on_broken(struct stream *stream) {
  forward_reset(stream);
  if (!stream->input.exists) pending_syn_leave(stream);
}

void accept_request(struct stream *stream, const struct accept_request *request) {
  if (datagrams_accept(request->request, stream)) return;
  static const struct stream_events events = {.changed = forward_changed, .broken = on_broken};
  stream->on = &events;
  if (!pending_syn_accept(request->request, stream)) stream_fail(stream, ECONNABORTED, STEP_OPEN, "the request is over");
}

void accept_reset_waiting(void) {
  for (unsigned i = 0; i < listener_count; i++)
    for (int fd; (fd = accept4(listeners[i].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      tcp_reset_on_close(fd);
      close(fd);
    }
}
