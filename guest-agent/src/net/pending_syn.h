/* SYNs that wait for the host's answer: sent again to the listener when the host accepts, refused by RST otherwise. */
#ifndef PYRO_PENDING_SYN_H
#define PYRO_PENDING_SYN_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

struct stream;

/* Makes the listeners hold their SYNs. 0 or errno with the failed step in *what. `listener6` may be -1. */
int pending_syn_open(int listener4, int listener6, const char **what);
/* Whether SYNs are asked for; else each one is refused. */
void pending_syn_turn(bool on);
/* The host accepts: the stream waits for the connection. False for a request that is not open. */
bool pending_syn_accept(uint32_t request, struct stream *stream);
void pending_syn_refuse(uint32_t request);
/* The stream that waits for this connection; NULL = none. It waits no more. */
struct stream *pending_syn_take(const struct flow *flow);
/* The stream is over: its connection is refused, if it still waits. */
void pending_syn_leave(const struct stream *stream);
void pending_syn_refuse_all(void);
/* Handles the SYNs that the kernel has ready. */
void pending_syn_drain(void);
/* The same, and the host learns of them before the agent does anything else. */
void pending_syn_ask(void);
/* Time until pending_syn_expire has to look for programs that gave up, in ms; -1 = never. */
int pending_syn_delay_ms(void);
void pending_syn_expire(void);

#endif
