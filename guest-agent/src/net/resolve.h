/* DNS questions of the guest's programs, each of which the host answers. */
#ifndef PYRO_RESOLVE_H
#define PYRO_RESOLVE_H

#include <stdbool.h>

#include "../decode.h"
#include "packet.h"

/* Who asked over a connection: part of what its owner keeps. */
struct dns_asker {
  /* Takes the answer, and may ask the next question. */
  void (*reply)(struct dns_asker *asker, const uint8_t *message, size_t size);
};

/* Takes questions from a UDP socket that reports the asked address; 0, or -1 with errno. */
int resolve_watch(int fd, bool ipv4);
/* A question over UDP, with its flow, or over a connection. False for bytes that get no answer. */
bool resolve_ask(const uint8_t *message, size_t size, const struct flow *flow, struct dns_asker *asker);
/* The host's answer. */
void resolve_answer(const struct answer *answer);
/* The asker is gone: its question needs no answer. */
void resolve_leave(const struct dns_asker *asker);
/* Answers every open question with a server failure. */
void resolve_fail_all(void);
/* Time until resolve_expire has to give questions up, in ms; -1 = none is open. */
int resolve_delay_ms(void);
void resolve_expire(void);

#endif
