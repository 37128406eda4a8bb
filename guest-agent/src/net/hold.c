#include "hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../announce.h"
#include "../clock.h"
#include "../list.h"
#include "../loop.h"
#include "../patience.h"
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

struct held {
  struct link all;
  struct held *next_in_bucket;
  struct flow flow;
  struct request request;
  struct stream *stream;      /* the host has accepted; NULL = it has not answered */
  uint64_t first_ns, last_ns; /* of the SYNs; after the answer, of the SYN sent again */
  size_t size;
  uint8_t packet[HOLD_PACKET_MAX];
};

static struct link all = {&all, &all};
static struct held *buckets[BUCKETS];
static struct ring_buffer ring;
static bool is_on;
static uint64_t checked_ns;

static struct held **bucket_of(const struct flow *flow) {
  uint32_t hash = (uint32_t)flow->from_port << 16 | flow->to_port;
  for (size_t i = 0; i < flow_address_size(flow); i++) hash = (hash ^ flow->to[i] ^ (uint32_t)flow->from[i] << 8) * 0x01000193u;
  return &buckets[(hash >> 16 ^ hash) % BUCKETS];
}

static struct held *find(const struct flow *flow) {
  struct held *held = *bucket_of(flow);
  while (held != NULL && !flow_equal(&held->flow, flow)) held = held->next_in_bucket;
  return held;
}

static void forget(struct held *held) {
  struct held **at = bucket_of(&held->flow);
  while (*at != held) at = &(*at)->next_in_bucket;
  *at = held->next_in_bucket;
  list_remove(&held->all);
  request_close(&held->request);
  free(held);
}

static void refuse(struct held *held) {
  raw_send_reset(held->packet, &held->flow);
  forget(held);
}

static void keep_packet(struct held *held, const uint8_t *packet, size_t size) {
  memcpy(held->packet, packet, size);
  held->size = size;
  held->last_ns = clock_monotonic_ns();
}

static void let_through(struct held *held) {
  held->last_ns = clock_monotonic_ns();
  raw_send_syn(held->packet, held->size, &held->flow);
}

/* Dropped beyond the limit: the client sends it again. */
static void ask(const uint8_t *packet, size_t size, const struct flow *flow) {
  struct held *held = request_fits(REQUEST_CONNECT) ? calloc(1, sizeof *held) : NULL;
  if (held == NULL) return;
  held->flow = *flow;
  keep_packet(held, packet, size);
  held->first_ns = held->last_ns;
  struct held **bucket = bucket_of(flow);
  held->next_in_bucket = *bucket;
  *bucket = held;
  list_append(&all, &held->all);
  held->request = (struct request){.kind = REQUEST_CONNECT,
                                   .address = held->flow.to,
                                   .address_size = (uint8_t)flow_address_size(flow),
                                   .port = flow->to_port,
                                   .name = flow->ipv4 ? fake_name(flow->to) : ""};
  request_open(&held->request);
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
  struct held *held = find(&flow);
  if (held == NULL) {
    ask(packet, size, &flow);
    return;
  }
  /* Sent again: the latest one counts, which may be another connection's with the same ports. */
  keep_packet(held, packet, size);
  if (held->stream != NULL) let_through(held);
}

void hold_drain(void) {
  size_t size = 0;
  if (ring.consumer == NULL) return; /* not prepared */
  for (int i = 0; i < SYNS_AT_ONCE; i++) {
    const struct held_record *record = ring_buffer_next(&ring, &size);
    if (record == NULL) return;
    if (size >= sizeof *record && record->size <= HOLD_PACKET_MAX) {
      /* A copy: the ring is the kernel's. */
      struct held_record copy = *record;
      on_syn(copy.packet, copy.size);
    }
    ring_buffer_pass(&ring);
  }
}

void hold_ask(void) {
  hold_drain();
  announce_requests();
}

static void on_ready(struct source *source, uint32_t events) {
  (void)source;
  (void)events;
  hold_ask();
}

int hold_open(int listener4, int listener6, const char **what) {
  static struct source source = {.ready = on_ready};
  *what = "ring of SYNs";
  int map = bpf_map(BPF_MAP_TYPE_RINGBUF, 0, 0, RING_BYTES, 0);
  if (map < 0) return errno;
  int error = ring_buffer_open(&ring, map, RING_BYTES);
  if (error != 0) return error;
  *what = "filter of SYNs";
  int program = hold_program_load(map);
  if (program < 0 || setsockopt(listener4, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) < 0) return errno;
  if (listener6 >= 0 && setsockopt(listener6, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) < 0) return errno;
  return loop_watch_level(map, EPOLLIN, &source) < 0 ? errno : 0;
}

void hold_turn(bool on) { is_on = on; }

/* For an answer. A SYN that was sent again and is still in the ring belongs to the request; later, it would be a new one. */
static struct held *of_request(uint32_t number) {
  hold_drain();
  struct request *request = request_find(number, REQUEST_CONNECT);
  return request == NULL ? NULL : container_of(request, struct held, request);
}

bool hold_accept(uint32_t request, struct stream *stream) {
  struct held *held = of_request(request);
  if (held == NULL) return false;
  request_close(&held->request);
  held->stream = stream;
  let_through(held);
  return true;
}

void hold_refuse(uint32_t request) {
  struct held *held = of_request(request);
  if (held != NULL) refuse(held);
}

struct stream *hold_take(const struct flow *flow) {
  struct held *held = find(flow);
  struct stream *stream = held == NULL ? NULL : held->stream;
  if (stream != NULL) forget(held);
  return stream;
}

void hold_leave(const struct stream *stream) {
  for (struct link *at = all.next; at != &all; at = at->next) {
    struct held *held = container_of(at, struct held, all);
    if (held->stream != stream) continue;
    refuse(held);
    return;
  }
}

void hold_refuse_all(void) {
  struct link *next = NULL;
  for (struct link *at = all.next; at != &all; at = next) {
    struct held *held = container_of(at, struct held, all);
    next = at->next;
    if (held->stream != NULL) continue; /* its stream is reset */
    request_withdraw(&held->request);
    refuse(held);
  }
}

int hold_delay_ms(void) { return list_empty(&all) ? -1 : time_left_ms(checked_ns, CHECK_MS); }

static bool gave_up(const struct held *held, uint64_t now) {
  uint64_t tried = held->stream == NULL ? held->last_ns - held->first_ns : 0;
  return now - held->last_ns > 2 * tried + slack_ns;
}

void hold_expire(void) {
  if (list_empty(&all) || time_left_ms(checked_ns, CHECK_MS) > 0) return;
  checked_ns = clock_monotonic_ns();
  struct link *next = NULL;
  for (struct link *at = all.next; at != &all; at = next) {
    struct held *held = container_of(at, struct held, all);
    next = at->next;
    if (!gave_up(held, checked_ns)) continue;
    if (held->stream != NULL) {
      stream_fail(held->stream, ECONNABORTED, STEP_OPEN, "the program gave up"); /* and so hold_leave */
    } else {
      request_withdraw(&held->request);
      forget(held);
    }
  }
}
