#include "resolve.h"

#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../list.h"
#include "../loop.h"
#include "../deadline.h"
#include "dns.h"
#include "fake_names.h"
#include "raw_socket.h"
#include "request.h"
#include "socket_flow.h"

enum {
  QUESTIONS_PER_ROUND = 64,
  DATAGRAM_MAX = 1500,
  /* Longer than any client waits. */
  ANSWER_MS = 30000,
  CHECK_MS = 1000,
  RECORDS_MAX = 16384,
  TCP_ANSWER_MAX = DNS_ANSWER_OVERHEAD + RECORDS_MAX,
};

struct question {
  struct request request;
  struct flow flow;        /* over UDP */
  struct dns_asker *asker; /* over a connection, else NULL */
  uint64_t asked_ns;
  struct dns_question dns;
};

/* NULL = a free place. */
static struct question *questions[REQUESTS_RESOLVE_MAX];
static unsigned count;
static uint64_t checked_ns;

static struct {
  struct source source;
  int fd;
  bool ipv4;
} sockets[2] = {{.fd = -1}, {.fd = -1}};

static void reply(const struct dns_question *dns, const struct flow *flow, struct dns_asker *asker, enum dns_code code,
                  struct dns_records records) {
  static uint8_t message[TCP_ANSWER_MAX];
  if (asker != NULL) {
    asker->reply(asker, message, dns_write(dns, code, records, sizeof message, message));
    return;
  }
  struct flow back = flow_back(flow);
  raw_send_datagram(&back, message, dns_write(dns, code, records, dns->udp_max, message));
}

static struct question **place_of(const struct question *question) {
  struct question **place = questions;
  while (*place != question) place++;
  return place;
}

static void forget(struct question **place) {
  request_close(&(*place)->request);
  free(*place);
  *place = NULL;
  count--;
}

/* The question is forgotten first: an asker that is gone then has none. */
static void answer_question(struct question **place, enum dns_code code, struct dns_records records) {
  struct dns_question dns = (*place)->dns;
  struct flow flow = (*place)->flow;
  struct dns_asker *asker = (*place)->asker;
  forget(place);
  reply(&dns, &flow, asker, code, records);
}

/* A client that has no answer yet sends its question again. */
static bool is_open(const struct dns_question *dns, const struct flow *flow) {
  for (unsigned i = 0; i < REQUESTS_RESOLVE_MAX; i++) {
    const struct question *question = questions[i];
    if (question != NULL && question->asker == NULL && question->dns.id == dns->id && question->dns.type == dns->type &&
        flow_equal(&question->flow, flow) && strcmp(question->dns.name, dns->name) == 0)
      return true;
  }
  return false;
}

/* NULL without room or memory. */
static struct question *add_question(void) {
  if (!request_fits(REQUEST_RESOLVE) || count == REQUESTS_RESOLVE_MAX) return NULL;
  struct question **place = place_of(NULL);
  *place = calloc(1, sizeof **place);
  if (*place != NULL) count++;
  return *place;
}

bool resolve_ask(const uint8_t *message, size_t size, const struct flow *flow, struct dns_asker *asker) {
  static const struct dns_records none;
  struct dns_question dns;
  enum dns_code code = DNS_OK;
  enum dns_reading reading = dns_read(message, size, &dns, &code);
  if (reading == DNS_ANSWER_NOW) reply(&dns, flow, asker, code, none);
  if (reading != DNS_ASK) return reading == DNS_ANSWER_NOW;
  if (asker == NULL && is_open(&dns, flow)) return true;
  struct question *question = add_question();
  if (question == NULL) return asker == NULL; /* a datagram is sent again, a connection is not */
  question->dns = dns;
  if (flow != NULL) question->flow = *flow;
  question->asker = asker;
  question->asked_ns = clock_monotonic_ns();
  question->request = (struct request){.kind = REQUEST_RESOLVE, .port = dns.type, .name = question->dns.name};
  request_open(&question->request);
  return true;
}

static void answer_address(struct question **place) {
  uint8_t address[4], record[DNS_ADDRESS_RECORD];
  struct dns_records records = {record, sizeof record, 1};
  if ((*place)->dns.type != DNS_TYPE_A) {
    answer_question(place, DNS_OK, (struct dns_records){.count = 0});
  } else if (fake_address((*place)->dns.name, address)) {
    dns_address_record(address, record);
    answer_question(place, DNS_OK, records);
  } else {
    answer_question(place, DNS_SERVER_FAILURE, (struct dns_records){.count = 0});
  }
}

void resolve_answer(const struct answer *answer) {
  struct request *request = request_find(answer->request, REQUEST_RESOLVE);
  if (request == NULL) return;
  struct question **place = place_of(container_of(request, struct question, request));
  struct dns_records records = {.count = 0};
  switch (answer->kind) {
    case ANSWER_ADDRESS: answer_address(place); return;
    case ANSWER_NO_DATA: answer_question(place, DNS_OK, records); return;
    case ANSWER_NO_SUCH_NAME: answer_question(place, DNS_NO_SUCH_NAME, records); return;
    case ANSWER_RECORDS:
      if (answer->records.size > RECORDS_MAX) break;
      answer_question(place, DNS_OK, (struct dns_records){answer->records.data, answer->records.size, answer->count});
      return;
    default: break;
  }
  answer_question(place, DNS_SERVER_FAILURE, records);
}

void resolve_leave(const struct dns_asker *asker) {
  for (unsigned i = 0; i < REQUESTS_RESOLVE_MAX; i++) {
    if (questions[i] == NULL || questions[i]->asker != asker) continue;
    request_withdraw(&questions[i]->request);
    forget(&questions[i]);
    return; /* an asker has one question at a time */
  }
}

static void give_up(struct question **place) {
  request_withdraw(&(*place)->request);
  answer_question(place, DNS_SERVER_FAILURE, (struct dns_records){.count = 0});
}

void resolve_fail_all(void) {
  for (unsigned i = 0; i < REQUESTS_RESOLVE_MAX; i++)
    if (questions[i] != NULL) give_up(&questions[i]);
}

int resolve_delay_ms(void) { return count == 0 ? -1 : time_left_ms(checked_ns, CHECK_MS); }

void resolve_expire(void) {
  if (count == 0 || time_left_ms(checked_ns, CHECK_MS) > 0) return;
  checked_ns = clock_monotonic_ns();
  for (unsigned i = 0; i < REQUESTS_RESOLVE_MAX; i++)
    if (questions[i] != NULL && time_left_ms(questions[i]->asked_ns, ANSWER_MS) == 0) give_up(&questions[i]);
}

static void on_ready(struct source *source, uint32_t events) {
  (void)events;
  int which = source == &sockets[0].source ? 0 : 1;
  for (int i = 0; i < QUESTIONS_PER_ROUND; i++) {
    uint8_t data[DATAGRAM_MAX];
    struct flow flow;
    ssize_t size = socket_flow_receive(sockets[which].fd, sockets[which].ipv4, data, sizeof data, &flow);
    if (size == RECEIVED_NOTHING) return;
    if (size >= 0) resolve_ask(data, (size_t)size, &flow, NULL);
  }
}

int resolve_watch(int fd, bool ipv4) {
  int which = ipv4 ? 0 : 1;
  sockets[which].fd = fd;
  sockets[which].ipv4 = ipv4;
  sockets[which].source.ready = on_ready;
  return loop_watch_level(fd, EPOLLIN, &sockets[which].source);
}
