#ifndef PYRO_PORT_H
#define PYRO_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A port of this host's loopback, and the sockets that keep it. */
struct held {
  uint16_t port;
  /* Listens at 127.0.0.1. */
  int listener;
  /* Bound at ::1 and deaf, so that no other user listens there: browsers try ::1 first for "localhost". -1 without IPv6. */
  int deaf;
  /* Unix socket, through which the next owner gets these three. */
  int handover;
};

/* Binds `port`, or any free one for 0. False with errno; `where` is then the address that refused. */
bool bind_port(uint16_t port, struct held *held, const char **where);

/* Takes the sockets of the process that holds `port`. False if no process does. */
bool take_over(uint16_t port, struct held *held);

/* Name of the Unix socket of a port in the working directory. */
const char *handover_name(uint16_t port);

/* Makes the Unix socket in the working directory. False with errno. */
bool open_handover(struct held *held);

/* Sends bytes with sockets over a Unix socket. False with errno. */
bool send_sockets(int to, const char *text, size_t size, const int *sockets, size_t count);

/* Sends the listener to the Node process at the other end of `channel`. False with errno. */
bool send_to_node(int channel, const struct held *held, bool was_held);

/* Refuses clients until another process takes the sockets, the Unix socket's file is removed, or the time is over. */
void hold(const struct held *held);

/* A socket that asks the kernel about connections. -1 with errno. */
int open_diag(void);

/* Whether the kernel tells about sockets at all: it must know the listener. */
bool knows_listener(int diag, uint16_t port);

/* User whose process has the open socket 127.0.0.1:`client` that is connected to 127.0.0.1:`server`. False if the kernel names none. */
bool user_of(int diag, uint16_t client, uint16_t server, uid_t *user);

#endif
