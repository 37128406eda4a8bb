/* Packets with headers of the agent's own, from any source address. */
#ifndef PYRO_RAW_SOCKET_H
#define PYRO_RAW_SOCKET_H

#include "packet.h"

/* 0, or -1 with errno. IPv4 is needed, IPv6 is not. */
int raw_sockets_open(void);
/* Sends a pending SYN to the listener, past the filter. */
void raw_send_syn(const uint8_t *packet, size_t size, const struct flow *flow);
/* Refuses a SYN: connect() of its sender fails with ECONNREFUSED. */
void raw_send_reset(const uint8_t *syn, const struct flow *flow);
void raw_send_datagram(const struct flow *flow, const uint8_t *data, size_t size);
/* Refuses a datagram of this flow: its sender's socket fails with ECONNREFUSED. */
void raw_send_unreachable(const struct flow *flow);

#endif
