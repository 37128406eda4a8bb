/* CALL: small operations on the guest itself, one after the other in the order of arrival. */
#ifndef PYRO_CALL_H
#define PYRO_CALL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "frame.h"

/* As a local process whatever would change the machine around it is refused with EOPNOTSUPP. */
void call_init(bool local);
/* Runs one and answers it. The caller made sure of room for a whole frame. */
void call_run(const struct frame *frame);
/* A call is still being worked on: the next has to wait. */
bool call_busy(void);
/* A child that is no stream's ended. */
void call_reaped(pid_t pid, const siginfo_t *info);
/* Answers the call whose child ended, when there is one. The caller made sure of room for a whole frame. */
void call_answer_pending(void);
/* An opener failed: an open chain is broken by it. */
void call_chain_break(void);
bool call_chain_open(void);
bool call_chain_broken(void);
/* The host starts anew. */
void call_reset(void);

#endif
