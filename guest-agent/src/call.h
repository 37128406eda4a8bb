/* CALL: small operations on the guest itself, in the order of arrival. */
#ifndef PYRO_CALL_H
#define PYRO_CALL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "frame.h"

/* As a local process, operations that would change the machine fail with EOPNOTSUPP. */
void call_init(bool local);
/* Runs one call and answers it. The caller has checked the room for a whole frame. */
void call_run(const struct frame *frame);
bool call_begins_chain(const struct frame *frame);
/* A call is still being worked on: the next has to wait. */
bool call_busy(void);
/* A child without a stream ended. */
void call_reaped(pid_t pid, const siginfo_t *info);
/* Answers the call whose child ended, if any. The caller has checked the room for a whole frame. */
void call_answer_pending(void);
/* An opener failed, which breaks an open chain. */
void call_chain_break(void);
bool call_chain_open(void);
bool call_chain_broken(void);
/* The host starts anew. */
void call_reset(void);

#endif
