#include "request.h"

#include <string.h>

#include "../encode.h"
#include "../port.h"

enum { REQUESTS_MAX = REQUESTS_CONNECT_MAX + REQUESTS_RESOLVE_MAX + REQUESTS_DATAGRAMS_MAX, FRAME_ROOM = 512 };

static const unsigned open_max[] = {
    [REQUEST_CONNECT] = REQUESTS_CONNECT_MAX, [REQUEST_RESOLVE] = REQUESTS_RESOLVE_MAX, [REQUEST_DATAGRAMS] = REQUESTS_DATAGRAMS_MAX};

static struct link open_requests = {&open_requests, &open_requests};
static struct link unsent_requests = {&unsent_requests, &unsent_requests};
static uint32_t next_number = 1;
static unsigned open_count[REQUEST_DATAGRAMS + 1];
/* Withdrawals that are not sent yet. The host counts their requests as open until then. */
static struct {
  uint32_t number;
  enum request_kind kind;
} withdrawals[REQUESTS_MAX];
static size_t withdrawal_count;

bool request_fits(enum request_kind kind) { return open_count[kind] < open_max[kind]; }

void request_open(struct request *request) {
  request->number = next_number++;
  open_count[request->kind]++;
  list_append(&open_requests, &request->open);
  list_append(&unsent_requests, &request->unsent);
}

struct request *request_find(uint32_t number, enum request_kind kind) {
  for (struct link *at = open_requests.next; at != &open_requests; at = at->next) {
    struct request *request = container_of(at, struct request, open);
    if (request->number == number) return request->kind == kind ? request : NULL;
  }
  return NULL;
}

void request_close(struct request *request) {
  if (!link_in_list(&request->open)) return;
  list_remove(&request->open);
  list_remove(&request->unsent);
  open_count[request->kind]--;
}

void request_withdraw(struct request *request) {
  if (!link_in_list(&request->open)) return;
  bool sent = !link_in_list(&request->unsent);
  request_close(request);
  if (!sent) return;
  open_count[request->kind]++;
  withdrawals[withdrawal_count].number = request->number;
  withdrawals[withdrawal_count++].kind = request->kind;
}

bool requests_unsent(void) { return withdrawal_count > 0 || !list_empty(&unsent_requests); }

static bool send_withdrawals(void) {
  while (withdrawal_count > 0) {
    uint8_t *to = port_room(FRAME_ROOM);
    if (to == NULL) return false;
    withdrawal_count--;
    struct writer writer = frame_begin(to, FRAME_ROOM, 0, KIND_WITHDRAW);
    put_u32(&writer, withdrawals[withdrawal_count].number);
    port_commit(frame_finish(&writer));
    open_count[withdrawals[withdrawal_count].kind]--;
  }
  return true;
}

bool requests_send(void) {
  if (!send_withdrawals()) return false;
  while (!list_empty(&unsent_requests)) {
    struct request *request = container_of(unsent_requests.next, struct request, unsent);
    uint8_t *to = port_room(FRAME_ROOM);
    if (to == NULL) return false;
    struct writer writer = frame_begin(to, FRAME_ROOM, 0, KIND_REQUEST);
    put_u32(&writer, request->number);
    put_u8(&writer, (uint8_t)request->kind);
    put_bytes(&writer, request->address, request->address_size);
    put_u16(&writer, request->port);
    put_str(&writer, request->name);
    port_commit(frame_finish(&writer));
    list_remove(&request->unsent);
  }
  return true;
}

void requests_rewind(void) {
  while (withdrawal_count > 0) open_count[withdrawals[--withdrawal_count].kind]--;
  list_init(&unsent_requests);
  for (struct link *at = open_requests.next; at != &open_requests; at = at->next) {
    struct request *request = container_of(at, struct request, open);
    list_append(&unsent_requests, &request->unsent);
  }
}
