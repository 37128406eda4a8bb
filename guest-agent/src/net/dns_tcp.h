/* DNS over TCP: connections of the guest's programs to port 53. */
#ifndef PYRO_DNS_TCP_H
#define PYRO_DNS_TCP_H

#include <stdbool.h>

/* Whether one more connection may be open. */
bool dns_tcp_fits(void);
/* Takes ownership of an accepted connection. */
void dns_tcp_take(int fd);
void dns_tcp_close_all(void);
/* Time until idle connections are closed, in ms; -1 = none is open. */
int dns_tcp_delay_ms(void);
void dns_tcp_expire(void);

#endif
