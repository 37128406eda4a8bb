/* Messages to the kernel's routing, and the answers. */
#ifndef PYRO_NETLINK_H
#define PYRO_NETLINK_H

#include <stddef.h>

#include "kernel_net.h"

enum { NETLINK_BODY_MAX = 256 };

struct netlink_message {
  struct netlink_header header;
  uint8_t body[NETLINK_BODY_MAX];
};

/* Begins a message with its fixed part. */
struct netlink_message netlink_message(uint16_t type, uint16_t flags, const void *fixed, size_t size);
void netlink_add(struct netlink_message *message, uint16_t type, const void *data, size_t size);
/* Sends a message and waits for the kernel's answer; 0 or errno. */
int netlink_do(struct netlink_message *message);

#endif
