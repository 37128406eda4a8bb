/* Options of a TCP socket. */
#ifndef PYRO_TCP_H
#define PYRO_TCP_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* Sends small pieces at once. */
static inline void tcp_no_delay(int fd) { setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); }

/* The last close sends RST instead of FIN. */
static inline void tcp_reset_on_close(int fd) {
  struct linger linger = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

#endif
