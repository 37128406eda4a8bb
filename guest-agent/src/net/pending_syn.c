#include "pending_syn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../announce.h"
#include "../clock.h"
#include "../list.h"
#include "../loop.h"
#include "../deadline.h"
#include "../stream.h"
#include "bpf.h"
#include "dns_tcp.h"
#include "fake_names.h"
#include "raw_socket.h"
#include "request.h"
#include "ring_buffer.h"

enum {
  /* Room for as many SYNs at once as may be open; more are sent again after a second. */
  RING_BYTES = 128 * 1024,
  /* As many as the ring has room for. */
  SYNS_AT_ONCE = 1200,
  BUCKETS = 1024,
  CHECK_MS = 1000,
  DNS_PORT = 53,
};
/* A client sends its SYN again after 1 s, then after at most as long as it has tried. The slack is for a busy guest. */
static const uint64_t slack_ns = 3000000000u;

struct pending {
  struct link all;
  struct pending *next_in_bucket;
  struct flow flow;
  struct request request;
  struct stream *stream;      /* the host has accepted; NULL = it has not answered */
  uint64_t first_ns, last_ns; /* of the SYNs; after the answer, of the SYN sent again */
  size_t size;
  uint8_t packet[SYN_PACKET_MAX];
};

static struct link all = {&all, &all};
static struct pending *buckets[BUCKETS];
static struct ring_buffer ring;
static bool is_on;
static uint64_t checked_ns;

static struct pending **bucket_of(const struct flow *flow) { return &buckets[flow_hash(flow) % BUCKETS]; }

static struct pending *find(const struct flow *flow) {
  struct pending *pending = *bucket_of(flow);
  while (pending != NULL && !flow_equal(&pending->flow, flow)) pending = pending->next_in_bucket;
  return pending;
}

static void forget(struct pending *pending) {
  struct pending **at = bucket_of(&pending->flow);
  while (*at != pending) at = &(*at)->next_in_bucket;
  *at = pending->next_in_bucket;
  list_remove(&pending->all);
  request_close(&pending->request);
  free(pending);
}

static void refuse(struct pending *pending) {
  raw_send_reset(pending->packet, &pending->flow);
  forget(pending);
}

static void keep_packet(struct pending *pending, const uint8_t *packet, size_t size) {
  memcpy(pending->packet, packet, size);
  pending->size = size;
  pending->last_ns = clock_monotonic_ns();
}

static void let_through(struct pending *pending) {
  pending->last_ns = clock_monotonic_ns();
  raw_send_syn(pending->packet, pending->size, &pending->flow);
}

/* Dropped beyond the limit: the client sends it again. */
static void ask(const uint8_t *packet, size_t size, const struct flow *flow) {
  struct pending *pending = request_fits(REQUEST_CONNECT) ? calloc(1, sizeof *pending) : NULL;
  if (pending == NULL) return;
  pending->flow = *flow;
  keep_packet(pending, packet, size);
  pending->first_ns = pending->last_ns;
  struct pending **bucket = bucket_of(flow);
  pending->next_in_bucket = *bucket;
  *bucket = pending;
  list_append(&all, &pending->all);
  pending->request = (struct request){.kind = REQUEST_CONNECT,
                                      .address = pending->flow.to,
                                      .address_size = (uint8_t)flow_address_size(flow),
                                      .port = flow->to_port,
                                      .name = flow->ipv4 ? fake_name(flow->to) : ""};
  request_open(&pending->request);
}

static void on_syn(const uint8_t *packet, size_t size) {
  struct flow flow;
  if (!packet_read_syn(packet, size, &flow)) return;
  if (!is_on) {
    raw_send_reset(packet, &flow);
    return;
  }
  if (flow.to_port == DNS_PORT) {
    if (dns_tcp_fits()) raw_send_syn(packet, size, &flow);
    return;
  }
  struct pending *pending = find(&flow);
  if (pending == NULL) {
    ask(packet, size, &flow);
    return;
  }
  /* Sent again: the latest one counts, which may be another connection's with the same ports. */
  keep_packet(pending, packet, size);
  if (pending->stream != NULL) let_through(pending);
}

void pending_syn_drain(void) {
  size_t size = 0;
  if (ring.consumer == NULL) return; /* not prepared */
  for (int i = 0; i < SYNS_AT_ONCE; i++) {
    const struct syn_record *record = ring_buffer_next(&ring, &size);
    if (record == NULL) return;
    if (size >= sizeof *record && record->size <= SYN_PACKET_MAX) {
      /* A copy: the ring is the kernel's. */
      struct syn_record copy = *record;
      on_syn(copy.packet, copy.size);
    }
    ring_buffer_pass(&ring);
  }
}

void pending_syn_ask(void) {
  pending_syn_drain();
  announce_requests();
}

static void on_ready(struct source *source, uint32_t events) {
  (void)source;
  (void)events;
  pending_syn_ask();
}

int pending_syn_open(int listener4, int listener6, const char **what) {
  static struct source source = {.ready = on_ready};
  *what = "ring of SYNs";
  int map = bpf_map(BPF_MAP_TYPE_RINGBUF, 0, 0, RING_BYTES, 0);
  if (map < 0) return errno;
  int error = ring_buffer_open(&ring, map, RING_BYTES);
  if (error != 0) return error;
  *what = "filter of SYNs";
  int program = syn_filter_load(map);
  if (program < 0 || setsockopt(listener4, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) < 0) return errno;
  if (listener6 >= 0 && setsockopt(listener6, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) < 0) return errno;
  return loop_watch_level(map, EPOLLIN, &source) < 0 ? errno : 0;
}

void pending_syn_turn(bool on) { is_on = on; }

/* For an answer. A SYN that was sent again and is still in the ring belongs to the request; later, it would be a new one. */
static struct pending *pending_of(uint32_t number) {
  pending_syn_drain();
  struct request *request = request_find(number, REQUEST_CONNECT);
  return request == NULL ? NULL : container_of(request, struct pending, request);
}

bool pending_syn_accept(uint32_t request, struct stream *stream) {
  struct pending *pending = pending_of(request);
  if (pending == NULL) return false;
  request_close(&pending->request);
  pending->stream = stream;
  let_through(pending);
  return true;
}

void pending_syn_refuse(uint32_t request) {
  struct pending *pending = pending_of(request);
  if (pending != NULL) refuse(pending);
}

struct stream *pending_syn_take(const struct flow *flow) {
  struct pending *pending = find(flow);
  struct stream *stream = pending == NULL ? NULL : pending->stream;
  if (stream != NULL) forget(pending);
  return stream;
}

void pending_syn_leave(const struct stream *stream) {
  for (struct link *at = all.next; at != &all; at = at->next) {
    struct pending *pending = container_of(at, struct pending, all);
    if (pending->stream != stream) continue;
    refuse(pending);
    return;
  }
}

void pending_syn_refuse_all(void) {
  struct link *next = NULL;
  for (struct link *at = all.next; at != &all; at = next) {
    struct pending *pending = container_of(at, struct pending, all);
    next = at->next;
    if (pending->stream != NULL) continue; /* its stream is reset */
    request_withdraw(&pending->request);
    refuse(pending);
  }
}

int pending_syn_delay_ms(void) { return list_empty(&all) ? -1 : time_left_ms(checked_ns, CHECK_MS); }

static bool gave_up(const struct pending *pending, uint64_t now) {
  uint64_t tried = pending->stream == NULL ? pending->last_ns - pending->first_ns : 0;
  return now - pending->last_ns > 2 * tried + slack_ns;
}

void pending_syn_expire(void) {
  if (list_empty(&all) || time_left_ms(checked_ns, CHECK_MS) > 0) return;
  checked_ns = clock_monotonic_ns();
  struct link *next = NULL;
  for (struct link *at = all.next; at != &all; at = next) {
    struct pending *pending = container_of(at, struct pending, all);
    next = at->next;
    if (!gave_up(pending, checked_ns)) continue;
    if (pending->stream != NULL) {
      stream_fail(pending->stream, ECONNABORTED, STEP_OPEN, "the program gave up"); /* and so pending_syn_leave */
    } else {
      request_withdraw(&pending->request);
      forget(pending);
    }
  }
}
