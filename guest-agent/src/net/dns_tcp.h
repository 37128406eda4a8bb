/* DNS over TCP: connections of the guest's programs to port 53. */
#ifndef PYRO_DNS_TCP_H
#define PYRO_DNS_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_client;

/* Whether one more connection may be open. */
bool dns_tcp_fits(void);
/* Takes ownership of an accepted connection. */
void dns_tcp_take(int fd);
/* Sends the answer to the client's question; it may ask the next one. */
void dns_tcp_reply(struct dns_client *client, const uint8_t *message, size_t size);
void dns_tcp_close_all(void);
/* Time until idle connections are closed, in ms; -1 = none is open. */
int dns_tcp_delay_ms(void);
void dns_tcp_expire(void);

#endif
