/* Open requests of the guest's programs: REQUEST and WITHDRAW frames to the host, numbers for its answers. */
#ifndef PYRO_REQUEST_H
#define PYRO_REQUEST_H

#include <stdbool.h>

#include "../list.h"
#include "../wire.h"

/* Limits of the protocol (docs/channel.md). */
enum { REQUESTS_CONNECT_MAX = 1024, REQUESTS_RESOLVE_MAX = 256, REQUESTS_DATAGRAMS_MAX = 256 };

/* Part of what its owner keeps, until request_close. */
struct request {
  struct link open;   /* in order of the numbers */
  struct link unsent; /* not sent on this connection */
  uint32_t number;
  enum request_kind kind;
  const uint8_t *address; /* of the owner */
  uint8_t address_size;
  uint16_t port;    /* or the record type */
  const char *name; /* of the owner; "" = none */
};

/* Whether a request or a withdrawal waits to be sent. */
bool requests_unsent(void);
/* Whether one more of a kind may be open. */
bool request_fits(enum request_kind kind);
void request_open(struct request *request);
/* The open request of a number and kind; NULL = none. */
struct request *request_find(uint32_t number, enum request_kind kind);
/* The host has answered. */
void request_close(struct request *request);
/* The program gave up, which the host is told. */
void request_withdraw(struct request *request);

/* Sends pending frames; false when the port has no room. */
bool requests_send(void);
/* A new host has to be asked again. */
void requests_rewind(void);

#endif
