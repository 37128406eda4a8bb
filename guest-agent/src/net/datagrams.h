/* Datagrams of the guest's programs to the outside: each flow is a stream, in which a length of 2 bytes precedes each datagram. */
#ifndef PYRO_DATAGRAMS_H
#define PYRO_DATAGRAMS_H

#include <stdbool.h>
#include <stdint.h>

struct stream;

/* Takes datagrams from a UDP socket that reports the address they were sent to; 0, or -1 with errno. */
int datagrams_watch(int fd, bool ipv4);
/* Whether new flows are asked for; else each one is refused. */
void datagrams_turn(bool on);
/* The host accepts a flow, which becomes the stream. False for a number that is no request for datagrams. */
bool datagrams_accept(uint32_t request, struct stream *stream);
/* The same for a refusal: the program's socket fails with ECONNREFUSED. */
bool datagrams_refuse(uint32_t request);
void datagrams_close_all(void);
/* Time until datagrams_expire has to look for requests and refusals that are too old, in ms; -1 = never. */
int datagrams_delay_ms(void);
void datagrams_expire(void);

#endif
