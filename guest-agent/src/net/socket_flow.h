/* The flow of a steered socket's connection or datagram, read from the socket. */
#ifndef PYRO_SOCKET_FLOW_H
#define PYRO_SOCKET_FLOW_H

#include <sys/socket.h>
#include <sys/types.h>

#include "packet.h"

/* The address and port of one end: 4 or 16 bytes, as the address's family says. */
void socket_flow_end(const struct sockaddr_storage *address, uint8_t to[16], uint16_t *port);

enum { RECEIVED_NOTHING = -1, RECEIVED_UNUSABLE = -2 };
/* Takes one datagram, with the address that it was sent to, from a socket with IP_RECVORIGDSTADDR. Its size, or one of the above. */
ssize_t socket_flow_receive(int fd, bool ipv4, uint8_t *data, size_t room, struct flow *flow);

#endif
