#include "datagrams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../announce.h"
#include "../clock.h"
#include "../deadline.h"
#include "../forward.h"
#include "../list.h"
#include "../loop.h"
#include "../stream.h"
#include "fake_names.h"
#include "raw_socket.h"
#include "request.h"
#include "socket_flow.h"

enum {
  LENGTH = 2,
  DATAGRAM_MAX = 65535,
  FRAMED_MAX = LENGTH + DATAGRAM_MAX,
  DATAGRAMS_PER_ROUND = 256,
  /* The host answers before. */
  ANSWER_MS = 60000,
  /* A refused program hears it at once, as often as it sends, and the host is asked again after that time. */
  REFUSED_MS = 1000,
  CHECK_MS = 1000,
  FLOWS_MAX = 1024,
  BUCKETS = 256,
};

enum state { ASKING, REFUSED, OPEN };

struct datagram_flow {
  struct link all;
  struct source source; /* of `pair` */
  struct datagram_flow *next_in_bucket;
  struct flow flow;
  struct request request;
  enum state state;
  uint64_t since_ns; /* of the state */
  int pair;          /* the stream has the other end; -1 = not open */
  /* From the program: framed bytes that wait for the host's answer, or that the stream has not taken. What finds no room is
   * lost, as in any network. */
  size_t waiting_size;
  uint8_t waiting[FRAMED_MAX];
  /* From the host: the first part of a datagram. */
  size_t part_size;
  uint8_t part[FRAMED_MAX];
};

static struct link all = {&all, &all};
static struct datagram_flow *buckets[BUCKETS];
static unsigned count;
static bool is_on;
static uint64_t checked_ns;
static struct {
  struct source source;
  int fd;
  bool ipv4;
} sockets[2] = {{.fd = -1}, {.fd = -1}};

static struct datagram_flow **bucket_of(const struct flow *flow) { return &buckets[flow_hash(flow) % BUCKETS]; }

static struct datagram_flow *find(const struct flow *flow) {
  struct datagram_flow *one = *bucket_of(flow);
  while (one != NULL && !flow_equal(&one->flow, flow)) one = one->next_in_bucket;
  return one;
}

static void set_state(struct datagram_flow *one, enum state state) {
  one->state = state;
  one->since_ns = clock_monotonic_ns();
}

static void close_pair(struct datagram_flow *one) {
  if (one->pair >= 0) loop_close(one->pair);
  one->pair = -1;
}

/* The memory goes at the end of the round: an event of this round may still point to it. */
static void forget(struct datagram_flow *one) {
  struct datagram_flow **at = bucket_of(&one->flow);
  while (*at != one) at = &(*at)->next_in_bucket;
  *at = one->next_in_bucket;
  list_remove(&one->all);
  request_close(&one->request);
  close_pair(one);
  count--;
  loop_free_later(one);
}

/* The program's socket fails, now and for each datagram of the next second. */
static void refuse(struct datagram_flow *one) {
  close_pair(one);
  one->waiting_size = 0;
  set_state(one, REFUSED);
  raw_send_unreachable(&one->flow);
}

/* Keeps the first datagrams until the host has answered. */
static void keep(struct datagram_flow *one, const uint8_t *framed, size_t size) {
  if (size > FRAMED_MAX - one->waiting_size) return;
  memcpy(one->waiting + one->waiting_size, framed, size);
  one->waiting_size += size;
}

/* Gives the waiting bytes to the stream, as far as it takes them. */
static void pass_on(struct datagram_flow *one) {
  size_t sent = 0;
  while (sent < one->waiting_size) {
    ssize_t taken = send(one->pair, one->waiting + sent, one->waiting_size - sent, MSG_NOSIGNAL);
    if (taken <= 0) break;
    sent += (size_t)taken;
  }
  one->waiting_size -= sent;
  memmove(one->waiting, one->waiting + sent, one->waiting_size);
  loop_change(one->pair, one->waiting_size > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN, &one->source);
}

/* A datagram is whole on the stream or not at all. */
static void give(struct datagram_flow *one, const uint8_t *framed, size_t size) {
  if (one->waiting_size > 0) return;
  ssize_t taken = send(one->pair, framed, size, MSG_NOSIGNAL);
  if (taken <= 0 || (size_t)taken == size) return;
  keep(one, framed + taken, size - (size_t)taken);
  loop_change(one->pair, EPOLLIN | EPOLLOUT, &one->source);
}

/* Sends the whole datagrams among the bytes; the number of bytes that they take. */
static size_t send_whole(const struct flow *flow, const uint8_t *bytes, size_t size) {
  struct flow answer = flow_back(flow);
  size_t at = 0;
  while (size - at >= LENGTH) {
    size_t length = (size_t)(bytes[at] << 8 | bytes[at + 1]);
    if (size - at < LENGTH + length) break;
    raw_send_datagram(&answer, bytes + at + LENGTH, length);
    at += LENGTH + length;
  }
  return at;
}

/* False once the stream is over. */
static bool receive(struct datagram_flow *one) {
  static uint8_t bytes[FRAMED_MAX + 64 * 1024];
  size_t before = one->part_size;
  memcpy(bytes, one->part, before);
  ssize_t got = recv(one->pair, bytes + before, sizeof bytes - before, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  size_t size = before + (size_t)got, at = send_whole(&one->flow, bytes, size);
  one->part_size = size - at;
  memcpy(one->part, bytes + at, one->part_size);
  return true;
}

/* The host has ended its input alone if no datagram passes any more, and has released the stream if the other end is closed. */
static void end(struct datagram_flow *one, bool released) {
  if (released)
    forget(one);
  else
    refuse(one);
}

static void on_pair_ready(struct source *source, uint32_t events) {
  struct datagram_flow *one = container_of(source, struct datagram_flow, source);
  if (one->pair < 0) return;
  if (events & EPOLLOUT) pass_on(one);
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !receive(one)) end(one, (events & (EPOLLHUP | EPOLLERR)) != 0);
}

static void ask(const struct flow *flow, const uint8_t *framed, size_t size) {
  struct datagram_flow *one = count < FLOWS_MAX && request_fits(REQUEST_DATAGRAMS) ? calloc(1, sizeof *one) : NULL;
  if (one == NULL) return;
  one->flow = *flow;
  one->pair = -1;
  one->source.ready = on_pair_ready;
  struct datagram_flow **bucket = bucket_of(flow);
  one->next_in_bucket = *bucket;
  *bucket = one;
  list_append(&all, &one->all);
  count++;
  set_state(one, ASKING);
  one->request = (struct request){.kind = REQUEST_DATAGRAMS,
                                  .address = one->flow.to,
                                  .address_size = (uint8_t)flow_address_size(flow),
                                  .port = flow->to_port,
                                  .name = flow->ipv4 ? fake_name(flow->to) : ""};
  request_open(&one->request);
  keep(one, framed, size);
}

static void on_datagram(const struct flow *flow, const uint8_t *framed, size_t size) {
  if (flow->from_port == 0 || flow->to_port == 0) return;
  if (!is_on) {
    raw_send_unreachable(flow);
    return;
  }
  struct datagram_flow *one = find(flow);
  if (one == NULL) {
    ask(flow, framed, size);
    return;
  }
  switch (one->state) {
    case ASKING: keep(one, framed, size); return;
    case REFUSED: raw_send_unreachable(flow); return;
    case OPEN: give(one, framed, size); return;
  }
}

static void on_ready(struct source *source, uint32_t events) {
  static uint8_t framed[FRAMED_MAX];
  (void)events;
  int which = source == &sockets[0].source ? 0 : 1;
  for (int i = 0; i < DATAGRAMS_PER_ROUND; i++) {
    struct flow flow;
    ssize_t size = socket_flow_receive(sockets[which].fd, sockets[which].ipv4, framed + LENGTH, DATAGRAM_MAX, &flow);
    if (size == RECEIVED_NOTHING) break;
    if (size < 0) continue;
    framed[0] = (uint8_t)(size >> 8);
    framed[1] = (uint8_t)size;
    on_datagram(&flow, framed, LENGTH + (size_t)size);
  }
  announce_requests();
}

int datagrams_watch(int fd, bool ipv4) {
  int which = ipv4 ? 0 : 1;
  sockets[which].fd = fd;
  sockets[which].ipv4 = ipv4;
  sockets[which].source.ready = on_ready;
  return loop_watch_level(fd, EPOLLIN, &sockets[which].source);
}

void datagrams_turn(bool on) { is_on = on; }

static struct datagram_flow *asked_by(uint32_t number) {
  struct request *request = request_find(number, REQUEST_DATAGRAMS);
  return request == NULL ? NULL : container_of(request, struct datagram_flow, request);
}

/* The stream gets one end of a pair of sockets, and is as any connection; the flow has the other end. 0 or errno. */
static int attach(struct datagram_flow *one, struct stream *stream) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) return errno;
  int reader = fcntl(ends[0], F_DUPFD_CLOEXEC, 3), error = reader < 0 ? errno : 0;
  if (error == 0 && loop_watch_level(ends[1], EPOLLIN, &one->source) < 0) error = errno;
  if (error != 0) {
    if (reader >= 0) close(reader);
    close(ends[0]);
    close(ends[1]);
    return error;
  }
  one->pair = ends[1];
  input_open(&stream->input, ends[0], false, true);
  return output_open(&stream->outputs[0], reader, OUTPUT_SOCKET) < 0 ? errno : 0;
}

bool datagrams_accept(uint32_t request, struct stream *stream) {
  static const struct stream_events events = {.changed = forward_changed};
  struct datagram_flow *one = asked_by(request);
  if (one == NULL) return false;
  stream->on = &events;
  request_close(&one->request);
  set_state(one, OPEN);
  int error = attach(one, stream);
  if (error != 0) {
    forget(one);
    stream_fail(stream, error, STEP_OPEN, "datagrams");
    return true;
  }
  pass_on(one);
  stream->started_due = true;
  output_try(&stream->outputs[0]);
  stream_changed(stream);
  return true;
}

bool datagrams_refuse(uint32_t request) {
  struct datagram_flow *one = asked_by(request);
  if (one == NULL) return false;
  request_close(&one->request);
  refuse(one);
  return true;
}

void datagrams_close_all(void) {
  while (!list_empty(&all)) {
    struct datagram_flow *one = container_of(all.next, struct datagram_flow, all);
    request_withdraw(&one->request);
    forget(one);
  }
}

int datagrams_delay_ms(void) { return list_empty(&all) ? -1 : time_left_ms(checked_ns, CHECK_MS); }

void datagrams_expire(void) {
  if (list_empty(&all) || time_left_ms(checked_ns, CHECK_MS) > 0) return;
  checked_ns = clock_monotonic_ns();
  struct link *next = NULL;
  for (struct link *at = all.next; at != &all; at = next) {
    struct datagram_flow *one = container_of(at, struct datagram_flow, all);
    next = at->next;
    if (one->state == OPEN || time_left_ms(one->since_ns, one->state == ASKING ? ANSWER_MS : REFUSED_MS) > 0) continue;
    request_withdraw(&one->request);
    forget(one);
  }
}
